/**
 * Building blocks of the configuration schemas: every field carries what it means and where its default comes from, so
 * that the schema is the reference of the experiment files.
 */
import { z } from 'zod';

/** What a field says about itself; read back with `documentationOf`. */
export interface FieldDocumentation {
  /** What the value means, with its unit. */
  readonly description: string;
  /** Where the default (or the notion) comes from: paper, predecessor, or our own choice. */
  readonly source: string;
}

/** Attaches the documentation of a field to its schema. */
export function field<Schema extends z.ZodType>(schema: Schema, description: string, source: string): Schema {
  return schema.meta({ description, source });
}

/** The documentation of a field's schema; undefined for a schema that is a mere container. */
export function documentationOf(schema: z.core.$ZodType): FieldDocumentation | undefined {
  const meta = z.globalRegistry.get(schema);
  if (typeof meta?.description !== 'string' || typeof meta['source'] !== 'string') return undefined;
  return { description: meta.description, source: meta['source'] };
}

/** 1, 2, 3, ... */
export const count = () => z.int().min(1);
/** 0, 1, 2, ... */
export const countOrZero = () => z.int().min(0);
/** > 0 */
export const positive = () => z.number().gt(0);
/** >= 0 */
export const nonNegative = () => z.number().min(0);
/** [0, 1) */
export const fraction = () => z.number().min(0).lt(1);

/** A name that is used as a folder name and in `--set` paths. */
export const identifier = () =>
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'expected a name of letters, digits, "-" and "_"');

/** A file or folder; relative ones are resolved while loading. */
export const filePath = () => z.string().min(1, 'expected a path');

/** Read-only all the way down: what code below `config` receives. */
export type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;
