/** Memory of programs. */
import type { Address, Card } from '../card/card.js';

/** The memory that all programs of an engine compute in, one after the other. */
export class Arena {
  private at: Address = 0;
  private bytes = 0;
  /** Changes when the memory moves: what has been recorded is void then. */
  version = 0;

  constructor(private readonly card: Card) {}

  /** Bytes; @returns its address */
  atLeast(bytes: number): Address {
    if (bytes > this.bytes) {
      if (this.bytes > 0) this.card.release(this.at);
      this.bytes = 0;
      this.at = this.card.allocate(bytes);
      this.bytes = bytes;
      this.version++;
    }
    return this.at;
  }

  release(): void {
    if (this.bytes > 0) this.card.release(this.at);
    this.bytes = 0;
  }
}
