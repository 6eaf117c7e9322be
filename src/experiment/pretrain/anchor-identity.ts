/**
 * What the numbers of a pretrained anchor depend on. It stands in the metadata of the anchor's file and of its checkpoint, so
 * that the same command finds what is done, and another one does not take it for its own.
 */
import path from 'node:path';
import type { ImagePretraining } from '../../config/schema/pretraining.js';
import type { Dataset } from '../../data/dataset.js';
import type { Engine } from '../../engine/engine.js';
import { openSafetensors } from '../../models/pretrained/formats/safetensors.js';
import { weightFile } from '../../models/pretrained/sources/source.js';
import { weightsFingerprint } from '../../models/pretrained/sources/weights-fingerprint.js';
import {
  type ComputationIdentity,
  computationIdentity,
  type ImagesIdentity,
  imagesIdentity,
} from '../../run-folder/identity/input-identity.js';
import { RequestError } from '../../shared/errors.js';
import { exists, readJson } from '../../shared/files.js';
import { differencesOf } from '../../shared/identity/differences.js';

export type PretrainedAnchor = ImagePretraining['anchors'][number];

export interface AnchorIdentity {
  readonly seed: number;
  /** With the fingerprint of the weights that its training starts from, where it starts from some. */
  readonly anchor: Pick<PretrainedAnchor, 'name' | 'architecture' | 'checkpoint'>;
  /** With the epochs and the learning rate of this anchor. */
  readonly training: ImagePretraining['training'];
  /** All that learn together, where they do. */
  readonly family?: readonly PretrainedAnchor[];
  readonly data: Pick<ImagePretraining['data'], 'kind' | 'image_size'> & Partial<ImagesIdentity>;
  readonly computation?: ComputationIdentity;
}

/** @throws RequestError where the weights that an anchor starts from are not there */
export async function anchorIdentities(
  config: ImagePretraining,
  dataset: Dataset,
  engine: Engine,
): Promise<AnchorIdentity[]> {
  const images = imagesIdentity(dataset);
  // Weights are told by their contents: where they lie does not matter.
  const anchors = await Promise.all(
    config.anchors.map(async ({ checkpoint, ...anchor }): Promise<PretrainedAnchor> => {
      if (checkpoint === undefined) return anchor;
      await weightFile(checkpoint, anchor.architecture);
      return { ...anchor, checkpoint: await weightsFingerprint(checkpoint, anchor.architecture) };
    }),
  );
  return anchors.map((anchor) => {
    const settings = anchorSettings({ ...config, anchors }, anchor);
    return { ...settings, data: { ...settings.data, ...images }, computation: computationIdentity(engine) };
  });
}

/** The part that the file says. */
function anchorSettings({ seed, training, data, anchors }: ImagePretraining, anchor: PretrainedAnchor): AnchorIdentity {
  const { name, architecture, checkpoint, epochs = training.epochs, learning_rate = training.learning_rate } = anchor;
  const { kind, image_size } = data;
  return {
    ...{ seed, data: { kind, image_size } },
    anchor: { name, architecture, ...(checkpoint !== undefined && { checkpoint }) },
    training: { ...training, epochs, learning_rate },
    ...(training.together && { family: anchors }),
  };
}

/** The checkpoint that an anchor becomes. */
export function anchorFile({ output }: ImagePretraining, { architecture }: PretrainedAnchor): string {
  return path.join(output, `${architecture}.safetensors`);
}

/** @throws RequestError with the differences, where the anchor's file was made in another way than is asked for now */
export async function refuseOtherAnchor(
  config: ImagePretraining,
  anchor: PretrainedAnchor,
  identity: AnchorIdentity,
): Promise<void> {
  const file = anchorFile(config, anchor);
  if (!(await exists(file))) return;
  const open = await openSafetensors(file);
  await open.close();
  const recorded = open.metadata['identity'];
  const differences =
    recorded === undefined
      ? await differencesFromRecord(config, anchor, open.metadata['epochs'])
      : differencesOf(JSON.parse(recorded), identity);
  if (differences.length === 0) return;
  throw new RequestError(
    `${file} was pretrained in another way:\n  ${differences.join('\n  ')}`,
    'Choose another folder with --set output=DIR, or restore the settings and images to go on.',
  );
}

/** Files of version 0.2.0 and before say their epochs; the settings stand beside them, once the whole family is done. */
async function differencesFromRecord(
  config: ImagePretraining,
  anchor: PretrainedAnchor,
  epochs: string | undefined,
): Promise<string[]> {
  const now = anchorSettings(config, anchor);
  const record = await readJson<{ readonly config: ImagePretraining }>(
    path.join(config.output, 'pretraining.json'),
  ).catch(() => undefined);
  const before = record?.config.anchors.find(({ architecture }) => architecture === anchor.architecture);
  if (before) return differencesOf(anchorSettings(record!.config, before), now);
  return differencesOf({ epochs: Number(epochs) }, { epochs: now.training.epochs });
}
