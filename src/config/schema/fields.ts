/**
 * Building blocks of the configuration schemas: every field carries what it means and where its default comes from, so
 * that the schema is the reference of the experiment files.
 */
import { z } from 'zod';

/**
 * Attaches the documentation of a field to its schema, which JSON Schemas and the reference page show.
 * @param description what the value means, with its unit
 * @param source where the default (or the notion) comes from: paper, predecessor, or our own choice
 */
export function field<Schema extends z.ZodType>(schema: Schema, description: string, source: string): Schema {
  return schema.meta({ description, source });
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

/** Other programs count from 0 to 255, and their numbers would make all images nearly one colour. */
const inOtherUnits = 'expected a number <= 1, as values are in [0, 1]: divide it by 255';
const ofChannels = (value: z.ZodNumber) => z.tuple([value, value, value]);
/** Mean of red, green and blue. */
export const channelMeans = () => ofChannels(z.number().min(0).max(1, inOtherUnits));
/** Their deviations; below the bound, normalised values leave the range in which networks compute. */
export const channelDeviations = () => ofChannels(z.number().min(0.001).max(1, inOtherUnits));

/** A name that is used as a folder name and in `--set` paths. */
export const identifier = () =>
  z
    .string()
    .max(80, 'expected a name of at most 80 characters: it is a part of the names of files')
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'expected a name of letters, digits, "-" and "_"');

/** A file or folder; relative ones are resolved while loading. */
export const filePath = () => z.string().min(1, 'expected a path');

/** Read-only all the way down: what code below `config` receives. */
export type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;
