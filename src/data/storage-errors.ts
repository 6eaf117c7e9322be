/** Failures of the disk while images are written, in words. */
import { isExpected, messageOf, RequestError, TrialError } from '../shared/errors.js';

/**
 * What a user can do about a failed write. Anything else is returned as it came.
 * @param where the folder that was written to
 * @param elsewhere how to choose another folder, a sentence
 */
export function explainStorageError(error: unknown, where: string, elsewhere: string): unknown {
  if (isExpected(error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  // sharp passes the words of the system on, not its code
  if (code === 'ENOSPC' || code === 'EDQUOT' || /no space left/i.test(messageOf(error))) {
    return new TrialError(
      `no space left on the device while writing images to ${where}`,
      `Free some space and run the same command again. ${elsewhere}`,
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new RequestError(`${where} cannot be written: ${messageOf(error)}`, elsewhere);
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new RequestError(`${where} cannot be made, a file is in its place: ${messageOf(error)}`, elsewhere);
  }
  return error;
}
