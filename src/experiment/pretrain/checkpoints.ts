/** What lies in the output of a pretraining only while it goes on. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ImagePretraining } from '../../config/schema/pretraining.js';
import { anchorFile, type PretrainedAnchor } from './anchor-identity.js';

/** Where the training of an anchor goes on from. */
export function partialFile(config: ImagePretraining, anchor: PretrainedAnchor): string {
  return `${anchorFile(config, anchor)}.partial`;
}

/** Where the training of all anchors goes on from, where they learn together. */
export function togetherPartialFile({ output }: Pick<ImagePretraining, 'output'>): string {
  return path.join(output, 'together.partial');
}

/** An anchor that learns with others as it was measured last, for whoever looks in before they are done. */
export function latestFile(config: ImagePretraining, anchor: PretrainedAnchor): string {
  return anchorFile(config, anchor).replace(/\.safetensors$/, '.latest.safetensors');
}

/** Those of such a training, once all anchors are written; what the other kind has left is another training's. */
export async function removeCheckpoints(config: ImagePretraining): Promise<void> {
  const { anchors, training } = config;
  const files = training.together
    ? [togetherPartialFile(config), ...anchors.map((anchor) => latestFile(config, anchor))]
    : anchors.map((anchor) => partialFile(config, anchor));
  await Promise.all(files.map((file) => rm(file, { force: true })));
}
