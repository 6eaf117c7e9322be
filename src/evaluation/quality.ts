/** How good a stitch is: accuracy on images, loss and accuracy on texts. */
import { mean } from '../shared/groups.js';

export interface Quality {
  /** Percent of the images, or of the learned tokens, whose most probable class or token is right. */
  readonly accuracy: number;
  /** Of language models: cross-entropy, nats per learned token. */
  readonly loss?: number;
}

/** The higher, the better: of language models by their loss. */
export function scoreOf({ accuracy, loss }: Quality): number {
  return loss === undefined ? accuracy : -loss;
}

/** Means over stitches. */
export function meanQuality(qualities: readonly Quality[]): Quality {
  const losses = qualities.flatMap(({ loss }) => loss ?? []);
  return {
    accuracy: mean(qualities.map(({ accuracy }) => accuracy)),
    ...(losses.length > 0 && { loss: mean(losses) }),
  };
}
