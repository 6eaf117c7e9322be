/**
 * A deployed stitch of language models as adapters of Hugging Face's PEFT. An anchor becomes one adapter, which PEFT loads
 * on its network as it is. Another stitch becomes an adapter for each of its two anchors, of the blocks that it runs, and
 * a file with its stitching layer, merged: PEFT has no form for that. `stitch.json` beside says which blocks are run.
 */
import path from 'node:path';
import { stitchesAdaptedAnchors } from '../../../config/schema/experiment-fields.js';
import { writeAdapter } from '../../../models/peft/adapter.js';
import { permuted } from '../../../models/pretrained/formats/layout.js';
import { writeSafetensors } from '../../../models/pretrained/formats/safetensors.js';
import { languageModelFolder } from '../../../models/pretrained/sources/embedded.js';
import type { MeasuredRun } from '../../../run-folder/measured/choice.js';
import type { StitchResult } from '../../../run-folder/result.js';
import { RequestError } from '../../../shared/errors.js';
import { exists, readJson, writeJson } from '../../../shared/files.js';
import { segmentAdapter } from '../../../stitching/parameters/adapter.js';
import { mergeStitchingLayer } from '../../../stitching/parameters/merge.js';
import { isLanguageRun, readTrainedLanguage } from '../deployed-language.js';

export interface ExportedAdapters {
  readonly trial: string;
  readonly stitch: StitchResult;
  readonly adapters: readonly {
    readonly anchor: string;
    /** Folder of the network that the adapter is for. */
    readonly base: string;
    readonly folder: string;
    readonly blocks: readonly [from: number, to: number];
  }[];
  /** `weight` [out, in] and `bias` [out], as a Linear of PyTorch has them; left out for an anchor. */
  readonly stitchingLayer?: string;
  readonly description: string;
}

const descriptionName = 'stitch.json';

/** Files of two stitches in one folder would be read as one. */
async function refuseToMix(trial: string, id: number, folder: string): Promise<void> {
  const file = path.join(folder, descriptionName);
  if (!(await exists(file))) return;
  const before = await readJson<Partial<ExportedAdapters>>(file);
  if (before.trial === trial && before.stitch?.id === id) return;
  throw new RequestError(
    `${folder} holds the adapters of stitch ${before.stitch?.id} of ${before.trial}`,
    'Give --out a folder of its own, or remove that one.',
  );
}

/**
 * @param folder that receives the adapter of an anchor, or a folder for each anchor of a stitch
 * @throws RequestError where the stitch has no low-rank updates, or two of a layer
 */
export async function exportAdapters(
  run: MeasuredRun,
  result: StitchResult,
  folder: string,
): Promise<ExportedAdapters> {
  if (!(await isLanguageRun(run))) {
    throw new RequestError(
      `${run.folder} has trained networks that read images: adapters are written of language models`,
      'Write its weights for PyTorch, with what was trained merged into them: --out FILE.safetensors.',
    );
  }
  const { experiment, architectures, space, trainables, layers } = await readTrainedLanguage(run);
  if (stitchesAdaptedAnchors(run.result.method)) {
    throw new RequestError(
      `${run.name} has adapted its anchors before it stitched them: its layers have two updates each, and an adapter has one`,
      'Adapters are written of the methods esta, naive-lora, ss-lora and anchor-lora.',
    );
  }
  await refuseToMix(run.name, result.id, folder);
  const stitch = space.stitches[result.id]!;
  const isWhole = stitch.path.length === 1;
  const adapters: ExportedAdapters['adapters'][number][] = [];
  for (const [segment, { anchor, blocks }] of stitch.path.entries()) {
    const { name, checkpoint, architecture } = experiment.anchors[anchor]!;
    const adapter = segmentAdapter(stitch, segment, trainables, architectures[anchor]!);
    if (adapter.size === 0) {
      throw new RequestError(
        `stitch ${result.id} of ${run.name} has no low-rank updates in anchor ${name}: nothing that an adapter could hold`,
        'Adapters are of methods that train low-rank updates, with adaptation.ranks above 0.',
      );
    }
    const base = await languageModelFolder(checkpoint, architecture);
    const target = isWhole ? folder : path.join(folder, name);
    await writeAdapter(target, adapter, base);
    adapters.push({ anchor: name, base, folder: target, blocks });
  }
  const file = path.join(folder, 'stitching_layer.safetensors');
  if (!isWhole) {
    const { weight, bias } = mergeStitchingLayer(stitch, layers[stitch.stitchingLayer!]!, trainables);
    await writeSafetensors(file, { weight: permuted(weight, [1, 0]), bias });
  }
  const exported: ExportedAdapters = {
    trial: run.name,
    stitch: result,
    adapters,
    ...(!isWhole && { stitchingLayer: file }),
    description: path.join(folder, descriptionName),
  };
  await writeJson(exported.description, exported);
  return exported;
}
