/** Where drawn images and compiled kernels are kept between runs. */
import os from 'node:os';
import path from 'node:path';

/** `$XDG_CACHE_HOME/esta`, or ~/.cache/esta. */
export function defaultCacheFolder(): string {
  return path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'esta');
}
