/** Device memory of values: given back memory waits for the next value of its size. */
import type { Address, Card } from '../card/card.js';

const step = 512;

export class Pool {
  private readonly waiting = new Map<number, Address[]>();

  constructor(private readonly card: Card) {}

  take(bytes: number): Address {
    const size = sizeFor(bytes);
    return this.waiting.get(size)?.pop() ?? this.allocate(size);
  }

  /** New memory of the card, of what waits where nothing else is left. */
  allocate(bytes: number): Address {
    try {
      return this.card.allocate(bytes);
    } catch (error) {
      if (![...this.waiting.values()].some((addresses) => addresses.length > 0)) throw error;
      this.release();
      return this.card.allocate(bytes);
    }
  }

  give(address: Address, bytes: number): void {
    const size = sizeFor(bytes);
    const addresses = this.waiting.get(size) ?? [];
    addresses.push(address);
    this.waiting.set(size, addresses);
  }

  /** Gives what waits back to the card. */
  release(): void {
    for (const addresses of this.waiting.values()) for (const address of addresses) this.card.release(address);
    this.waiting.clear();
  }
}

function sizeFor(bytes: number): number {
  return Math.max(step, Math.ceil(bytes / step) * step);
}
