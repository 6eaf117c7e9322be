/**
 * A hook for the loading of modules: `?fresh=N` on the address of a test file goes on to all that it imports, so that
 * every mutant sees modules which nothing has run. What registers itself in TensorFlow.js is loaded once: `src/engine`,
 * with `src/shared`, whose classes of errors it throws. Neither is mutated.
 */
interface Locations {
  /** The module that stands for `node:test`. */
  readonly nodeTest: string;
  /** Address of the compiled project under test. */
  readonly root: string;
}

interface Resolved {
  readonly url: string;
}

type NextResolve = (specifier: string, context: Context) => Promise<Resolved>;

interface Context {
  readonly parentURL?: string;
}

let locations: Locations;

export function initialize(given: Locations): void {
  locations = given;
}

export async function resolve(specifier: string, context: Context, next: NextResolve): Promise<Resolved> {
  if (specifier === 'node:test') return { ...(await next(locations.nodeTest, context)) };
  const resolved = await next(specifier, context);
  const generation = /\?fresh=\d+$/.exec(context.parentURL ?? '')?.[0];
  const isReloaded = ['src', 'test', 'commands'].some((folder) =>
    resolved.url.startsWith(`${locations.root}${folder}/`),
  );
  const isShared = ['engine', 'shared'].some((folder) => resolved.url.startsWith(`${locations.root}src/${folder}/`));
  if (generation === undefined || !isReloaded || isShared || resolved.url.includes('?')) return resolved;
  return { ...resolved, url: resolved.url + generation };
}
