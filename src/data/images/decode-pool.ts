/** Threads that decode: one JavaScript thread hands no more than a thousand images a second to sharp. */
import { Worker } from 'node:worker_threads';
import type { Decoded, Decoding } from './decode.js';
import type { DecodeReply, DecodeTask } from './decode-worker.js';

interface Pending {
  readonly resolve: (decoded: readonly Decoded[]) => void;
  readonly reject: (error: Error) => void;
}

export class DecodePool {
  private readonly workers: readonly Worker[];
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;

  constructor(threads: number, decoding: Decoding) {
    const { resize, interpolation } = decoding;
    const workerData: Decoding = { ...(resize && { resize }), interpolation };
    this.workers = Array.from({ length: threads }, () => this.start(workerData));
  }

  /** Blocks go to the threads in turn. */
  decode(files: readonly string[]): Promise<readonly Decoded[]> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.workers[id % this.workers.length]!.postMessage({ id, files } satisfies DecodeTask);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private start(workerData: Decoding): Worker {
    const worker = new Worker(new URL('./decode-worker.js', import.meta.url), { workerData });
    worker.on('message', (reply: DecodeReply) => {
      const pending = this.pending.get(reply.id)!;
      this.pending.delete(reply.id);
      if ('decoded' in reply) pending.resolve(reply.decoded);
      else pending.reject(new Error(reply.failure));
    });
    worker.on('error', (error) => {
      for (const { reject } of this.pending.values()) reject(error instanceof Error ? error : new Error(String(error)));
      this.pending.clear();
    });
    return worker;
  }
}
