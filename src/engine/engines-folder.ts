/** Where engines live that `npm ci` does not bring. */
import { homedir } from 'node:os';
import path from 'node:path';

/**
 * $ESTA_ENGINES, else the user's data folder ($XDG_DATA_HOME/esta/engines, ~/.local/share/esta/engines), so that `npm ci`
 * deletes none of them and a program that others installed can have some.
 */
export function enginesFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment['ESTA_ENGINES']) return path.resolve(environment['ESTA_ENGINES']);
  return path.join(environment['XDG_DATA_HOME'] || path.join(homedir(), '.local', 'share'), 'esta', 'engines');
}
