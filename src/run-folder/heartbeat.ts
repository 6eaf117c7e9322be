/**
 * A thread that keeps the lock of a trial young: it writes the lock's own content over it, which sets the time of change by
 * the clock of the file system. A step may keep the main thread busy for minutes. It ends when the lock is gone.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { file, content, seconds } = workerData as {
  readonly file: string;
  readonly content: string;
  readonly seconds: number;
};

const timer = setInterval(() => {
  try {
    const descriptor = openSync(file, 'r+');
    try {
      writeSync(descriptor, content, 0);
    } finally {
      closeSync(descriptor); // a full disk may refuse to write for hours
    }
  } catch (error) {
    // Another process has taken the lock over. Anything else, such as a server that does not answer, may pass.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') clearInterval(timer);
  }
}, seconds * 1000);
