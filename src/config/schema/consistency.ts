/** Rules between fields, checked together with the fields themselves so that all problems are reported at once. */
import type { z } from 'zod';
import { repeated } from '../../shared/groups.js';

export interface Rule<Config> {
  /** Dotted paths that the rule reads: it is skipped where one of them has a problem of its own. */
  readonly needs: readonly string[];
  /** The field that the problem is reported at. */
  readonly at: readonly PropertyKey[];
  /** What is wrong; anything falsy when the rule holds. */
  readonly problem: (config: Config) => string | false | undefined;
}

/** The schema with rules that also run while unrelated fields have problems. */
export function consistent<Schema extends z.ZodObject>(
  schema: Schema,
  rules: readonly Rule<z.output<Schema>>[],
): Schema {
  let checked = schema;
  for (const { needs, at, problem } of rules) {
    checked = checked.refine((config) => !problem(config as z.output<Schema>), {
      path: [...at],
      params: { needs },
      error: ({ input }) => problem(input as z.output<Schema>) || undefined,
      when: ({ issues }) =>
        !issues.some((issue) => issue.code !== 'unrecognized_keys' && isNeeded(issue.path ?? [], needs)),
    });
  }
  return checked;
}

/** The problems that rules find in a configuration whose fields are right, as `path: message`. */
export function brokenRules<Config>(rules: readonly Rule<Config>[], config: Config): string[] {
  return rules.flatMap(({ at, problem }) => {
    const message = problem(config);
    return message ? [`${at.join('.')}: ${message}`] : [];
  });
}

/** Whether the faulty path is one of those needed, lies inside of one or holds one; the whole file holds all. */
function isNeeded(path: readonly PropertyKey[], needs: readonly string[]): boolean {
  const faulty = path.join('.');
  return needs.some(
    (needed) =>
      faulty === '' || needed === faulty || needed.startsWith(`${faulty}.`) || faulty.startsWith(`${needed}.`),
  );
}

/** A list in which every name or number occurs once; its path is dotted. */
export function distinct<Fields>(
  at: (keyof Fields & string) | `${keyof Fields & string}.${string}`,
  noun: string,
  items: (fields: Fields) => readonly (string | number)[],
): Rule<Fields> {
  return {
    needs: [at],
    at: at.split('.'),
    problem(fields) {
      const twice = repeated(items(fields));
      return twice !== undefined && `${noun} ${twice} is listed twice; each must be there once`;
    },
  };
}
