/** Where drawn images and compiled kernels are kept between runs. */
import os from 'node:os';
import path from 'node:path';

/** The `esta` folder of the user's cache. */
export function defaultCacheFolder(): string {
  return path.join(userCacheFolder(process.env), 'esta');
}

/** `$XDG_CACHE_HOME`, or ~/.cache where that is not set or empty, as its specification says. */
export function userCacheFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
}
