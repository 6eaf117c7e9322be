/** A card that counts what was asked of it: how much memory programs need is known without a card, too. */
import type { Address, Card } from './card.js';

export interface CountedCard {
  readonly card: Card;
  /** Most bytes that were in use at once so far; libraries of the card take their own. */
  readonly peakBytes: () => number;
}

export function counted(card: Card): CountedCard {
  const sizes = new Map<Address, number>();
  let [used, peak] = [0, 0];
  const allocate = (bytes: number) => {
    const address = card.allocate(bytes);
    sizes.set(address, bytes);
    used += bytes;
    peak = Math.max(peak, used);
    return address;
  };
  const release = (address: Address) => {
    used -= sizes.get(address) ?? 0;
    sizes.delete(address);
    card.release(address);
  };
  const self: Card = {
    name: card.name,
    computeCapability: card.computeCapability,
    ...{ allocate, release },
    memory: () => card.memory(),
    upload: (to, from) => card.upload(to, from),
    download: (from, to) => card.download(from, to),
    copy: (to, from, bytes) => card.copy(to, from, bytes),
    compile: (source, names) => card.compile(source, names),
    launch: (kernel, blocks, threads, addresses) => card.launch(kernel, blocks, threads, addresses),
    multiply: (product, precision) => card.multiply(product, precision),
    record: (work) => card.record(work),
    synchronise: () => card.synchronise(),
    dispose: () => card.dispose(),
  };
  return { card: self, peakBytes: () => peak };
}
