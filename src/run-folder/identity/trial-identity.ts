/**
 * What the numbers of a trial depend on, `trials/<name>/identity.json`: written when the trial begins. A trial that goes on,
 * one that is finished, and one that another run takes over must agree with it; what differs is said.
 *
 * Left out is what decides no number: names and paths (of what they lead to the content counts), the claim, how often
 * checkpoints are written, what is asked of a cluster, and the other trials of the experiment.
 */
import { createHash } from 'node:crypto';
import type { DatasetConfig } from '../../config/schema/dataset.js';
import type { Experiment } from '../../config/schema/experiment.js';
import type { Trial } from '../../config/trials.js';
import type { Dataset } from '../../data/dataset.js';
import type { Engine } from '../../engine/engine.js';
import { weightsFingerprint } from '../../models/pretrained/sources/weights-fingerprint.js';
import {
  type ComputationIdentity,
  computationIdentity,
  type ImagesIdentity,
  imagesIdentity,
  type TextsIdentity,
} from './input-identity.js';

export const identityFile = 'identity.json';

/** What the file and the command say. */
export interface TrialSettings {
  readonly settings: object;
  readonly computation: ComputationIdentity;
}

/** What lies on disk. */
export interface TrialInputs {
  /** Left out of drawn data sets: their settings say it all. */
  readonly images?: ImagesIdentity;
  /** Left out of images. */
  readonly texts?: TextsIdentity;
  /** How images are normalised, where what was pretrained says it and not the file. */
  readonly normalisation?: Pick<Experiment['preprocessing'], 'mean' | 'std'>;
  /** Fingerprints of the contents, by anchor. */
  readonly weights: Readonly<Record<string, string>>;
}

export type TrialIdentity = TrialSettings & TrialInputs;

/** @param trial as its file says it, before the normalisation of its anchors was filled in: that belongs to its inputs */
export function trialSettings({ dataset, method, seed, experiment }: Trial, engine: Engine): TrialSettings {
  return {
    settings: { method, seed, dataset: datasetSettings(dataset), ...sharedSettings(experiment) },
    computation: computationIdentity(engine),
  };
}

/**
 * @param trial with the normalisation of its anchors
 * @param data images as the trial sees them, or what identifies its texts; left out: drawn images
 * @throws RequestError where weights or images are not there
 */
export async function trialInputs({ experiment }: Trial, data?: Dataset | TextsIdentity): Promise<TrialInputs> {
  const weights: Record<string, string> = {};
  for (const { name, checkpoint, architecture } of experiment.anchors) {
    weights[name] = await weightsFingerprint(checkpoint, architecture);
  }
  const { mean, std } = experiment.preprocessing;
  return {
    ...(data && ('splits' in data ? { images: imagesIdentity(data) } : { texts: data })),
    ...(mean && std && { normalisation: { mean, std } }),
    weights,
  };
}

/** What all trials of a run have in common. */
export function sharedSettings(experiment: Experiment): object {
  const { name: _, claim: __, seeds: ___, methods: ____, data: _____, launcher: _______, ...rest } = experiment;
  // The precision is that of the computation, whether it was asked for or not.
  const { checkpoint_minutes: ______, precision: ________, ...training } = rest.training;
  const anchors = rest.anchors.map(({ name, architecture }) => ({ name, architecture }));
  return { ...rest, anchors, training };
}

/** Of a data set, without the paths that lead to it. */
export function datasetSettings(dataset: DatasetConfig): { readonly name: string } {
  const {
    root: _,
    training_list: __,
    file: ___,
    ...settings
  } = dataset as DatasetConfig & {
    readonly root?: string;
    readonly training_list?: string;
    readonly file?: string;
  };
  return settings;
}

/** 12 hexadecimal digits that agree where two documents agree, whatever the order of their keys. */
export function fingerprint(document: object): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(document)))
    .digest('hex')
    .slice(0, 12);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, entry]) => [name, sorted(entry)]));
}
