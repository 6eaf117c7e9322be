/** Compiled programs, kept while they are used: as many as are allowed, and as much memory as they may take. */

/** Bytes of the device that a program takes. */
export interface ProgramSize {
  /** Of the values that it holds. */
  readonly constants: number;
  /** Of what it computes. */
  readonly working: number;
}

export interface CachedProgram {
  readonly size: ProgramSize;
  /** Storages of the values of which it holds copies. */
  readonly held: ReadonlySet<unknown>;
  release(): Promise<void>;
}

export class ProgramCache<Program extends CachedProgram> {
  /** Insertion order is order of use: the first is the one unused for longest. */
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly finished = new Map<string, Program>();

  /**
   * @param limit programs kept at most
   * @param bytes of device memory that they may take together; the program in use is kept, however large
   * @param sharesWorking whether they compute in one memory, each in its turn
   */
  constructor(
    private readonly limit: number,
    private readonly bytes = Number.POSITIVE_INFINITY,
    private readonly sharesWorking = false,
  ) {}

  /** @param signature the same one means the same program */
  async get(signature: string, compile: () => Promise<Program>): Promise<Program> {
    const known = this.programs.get(signature);
    const program = known ?? compile();
    this.programs.delete(signature);
    this.programs.set(signature, program);
    if (known) return program;
    if (this.programs.size > this.limit) this.evict(this.programs.keys().next().value!);
    try {
      const made = await program;
      if (this.programs.get(signature) === program) this.finished.set(signature, made);
      for (const other of [...this.programs.keys()]) {
        if (this.total() <= this.bytes) break;
        if (other !== signature && this.finished.has(other)) this.evict(other);
      }
      return made;
    } catch (error) {
      if (this.programs.get(signature) === program) this.programs.delete(signature); // what failed to compile is no program
      throw error;
    }
  }

  /** Drops the programs that hold a copy of what is stored there. */
  dropHolders(storage: unknown): void {
    for (const [signature, { held }] of [...this.finished]) if (held.has(storage)) this.evict(signature);
  }

  memory(): { readonly programs: number; readonly constants: number } {
    const constants = [...this.finished.values()].reduce((sum, { size }) => sum + size.constants, 0);
    return { programs: this.programs.size, constants };
  }

  async dispose(): Promise<void> {
    const all = [...this.programs.values()];
    this.programs.clear();
    this.finished.clear();
    for (const program of all) await (await program).release();
  }

  private total(): number {
    const workings = [...this.finished.values()].map(({ size }) => size.working);
    const working = this.sharesWorking ? Math.max(0, ...workings) : workings.reduce((sum, bytes) => sum + bytes, 0);
    return this.memory().constants + working;
  }

  private evict(signature: string): void {
    const program = this.programs.get(signature);
    this.programs.delete(signature);
    this.finished.delete(signature);
    const failed = () => {}; // to compile: whoever asked for it is told
    void program?.then((evicted) => evicted.release(), failed);
  }
}
