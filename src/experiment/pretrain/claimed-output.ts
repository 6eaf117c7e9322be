/** The output folder of a pretraining belongs to one process at a time: two would mix their checkpoints and metrics. */
import { claimFolder, describeHolder } from '../../run-folder/lock.js';
import { RequestError } from '../../shared/errors.js';
import { guardWrites } from '../../shared/files.js';

/**
 * Does `work` while `output` is claimed. What was killed is taken over once it gives no more signs of life.
 * @param below folders in it that are written too
 * @throws RequestError where another process pretrains there, LostLock where one has taken over, what `work` throws
 */
export async function claimedOutput<Result>(
  output: string,
  work: () => Promise<Result>,
  below: readonly string[] = [],
): Promise<Result> {
  const lock = await claimFolder(output);
  if ('heldBy' in lock) {
    throw new RequestError(
      `${output} is being written by another pretraining, ${describeHolder(lock.heldBy)}`,
      'Wait until that has ended and give the same command again, or choose another folder with --set output=DIR.',
    );
  }
  const guards = below.map((folder) => guardWrites(folder, lock.check));
  let isDone = false;
  try {
    const result = await work();
    isDone = true;
    return result;
  } finally {
    for (const unguard of guards) unguard();
    await lock.release(isDone);
  }
}
