/** The schemas of experiment and pretraining files as JSON Schema, for editors and for the reference page. */
import { z } from 'zod';
import { dataSchema, datasetSchema } from './schema/dataset.js';
import { experimentFields } from './schema/experiment-fields.js';
import { pretrainingSchema } from './schema/pretraining.js';

/** `source` says where a default or a notion comes from, beside the `description`. */
export type JsonSchema = z.core.JSONSchema.JSONSchema & { readonly source?: string };

export type ConfigurationKind = 'experiment' | 'pretraining';

const schemas: Readonly<Record<ConfigurationKind, z.ZodType>> = {
  experiment: experimentFields,
  pretraining: pretrainingSchema,
};

/**
 * What may be written into a file, as draft 7, which the YAML language server reads. Rules between fields, which JSON
 * Schema cannot say, are left to the program.
 */
export function jsonSchemaOf(kind: ConfigurationKind): JsonSchema {
  const datasets: readonly z.core.$ZodType[] = datasetSchema.options;
  const document = z.toJSONSchema(schemas[kind], {
    io: 'input',
    target: 'draft-7',
    override({ zodSchema, jsonSchema }) {
      // The bound of exact integers in JavaScript is no rule of the file.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // Names are filled in before a data set is checked.
      if (datasets.includes(zodSchema)) jsonSchema.required = jsonSchema.required!.filter((name) => name !== 'name');
      if (zodSchema === dataSchema) {
        const { type, items, minItems, ...documentation } = jsonSchema;
        for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
        Object.assign(jsonSchema, documentation, { anyOf: [items, { type, items, minItems }] });
      }
    },
  });
  return { title: `${kind} file of esta`, ...document };
}

/** The text of a schema file: editors show the description, and below it the source. */
export function schemaFile(kind: ConfigurationKind): string {
  const shown = (_key: string, value: unknown) => {
    const { source, description, ...others } = (value ?? {}) as Record<string, unknown>;
    if (typeof source !== 'string' || typeof description !== 'string') return value;
    return { description: `${description}\n\nSource: ${source}`, ...others };
  };
  return `${JSON.stringify(jsonSchemaOf(kind), shown, 2)}\n`;
}
