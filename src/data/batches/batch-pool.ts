/** The threads behind a batch loader: tasks in, prepared batches out. */
import { Worker } from 'node:worker_threads';
import { RequestError } from '../../shared/errors.js';
import type { BatchReply, BatchTask, BatchWorkerData, PreparedImages } from './batch-worker.js';

interface Pending {
  readonly worker: Worker;
  readonly resolve: (images: PreparedImages) => void;
  readonly reject: (error: Error) => void;
}

/** Threads keep the process alive only while a batch is pending, so a forgotten `close` does not hang it. */
export class BatchPool {
  private readonly workers: readonly Worker[];
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  private failure: Error | undefined;

  constructor(threads: number, workerData: BatchWorkerData) {
    this.workers = Array.from({ length: threads }, () => this.start(workerData));
  }

  /** Tasks go to the threads in turn; each thread works through its own in order. */
  prepare(epoch: number, indices: readonly number[]): Promise<PreparedImages> {
    const id = this.nextId++;
    const worker = this.workers[id % this.workers.length]!;
    const images = new Promise<PreparedImages>((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      this.pending.set(id, { worker, resolve, reject });
      worker.ref();
      worker.postMessage({ id, epoch, indices } satisfies BatchTask);
    });
    // a batch that failed ahead of time is reported when its turn comes, not as an unhandled rejection
    images.catch(() => undefined);
    return images;
  }

  /** Ends the threads; batches still pending are rejected. */
  async close(): Promise<void> {
    this.fail(new Error('the batch loader was closed'));
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private start(workerData: BatchWorkerData): Worker {
    const worker = new Worker(new URL('./batch-worker.js', import.meta.url), { workerData });
    worker.on('message', (reply: BatchReply) => this.settle(reply));
    worker.on('error', (error) => this.fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => this.fail(new Error(`a data thread ended with code ${code}`)));
    worker.unref();
    return worker;
  }

  private settle(reply: BatchReply): void {
    const pending = this.pending.get(reply.id);
    if (!pending) return;
    this.pending.delete(reply.id);
    if (![...this.pending.values()].some(({ worker }) => worker === pending.worker)) pending.worker.unref();
    if ('prepared' in reply) pending.resolve(reply.prepared);
    else pending.reject(asError(reply.error));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

function asError({ message, hint, expected }: { message: string; hint: string | undefined; expected: boolean }): Error {
  return expected ? new RequestError(message, hint) : new Error(message);
}
