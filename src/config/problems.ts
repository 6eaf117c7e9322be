/** What is wrong with a configuration, in words: where, what was expected, what was received, what to do. */
import { z } from 'zod';
import { nearest, RequestError } from '../shared/errors.js';
import { formatYaml } from './yaml-document.js';

export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Of a rule between fields: dotted paths of those that it reads. */
  readonly needs?: readonly string[];
  /** Whether a text should stand there. */
  readonly wantsText?: boolean;
}

/** Checks `value`; all problems at once, or the value with its defaults. */
export function check<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
): { readonly config: Output } | { readonly problems: readonly Problem[] } {
  const result = schema.safeParse(value, { reportInput: true, error: describeIssue });
  if (result.success) return { config: result.data };
  return { problems: result.error.issues.flatMap(problemsOf) };
}

/** The refusal of a file whose content is not valid: a line for each problem, with its dotted path. */
export function invalidFile(
  file: string,
  problems: readonly Pick<Problem, 'path' | 'message'>[],
  hint: string,
): RequestError {
  const lines = problems.map(({ path, message }) => `  ${path.join('.') || 'the document'}: ${message}`);
  return new RequestError([`${file} is not valid:`, ...lines].join('\n'), hint);
}

/** A value as it is shown in messages; long ones are cut. */
export function show(value: unknown): string {
  // JSON has no words for them and would say null.
  if (typeof value === 'number' && !Number.isFinite(value)) return formatYaml(value).trimEnd();
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list, such as [a, b]',
  tuple: 'a list',
  object: 'a mapping (name: value)',
};

/** What was expected, in the words of this project. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = `expected ${typeNames[issue.expected] ?? issue.expected}`;
      return issue.input === undefined ? `is missing; ${documentation(issue.inst) ?? expected}` : expected;
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      return `expected ${allowed.length === 1 ? allowed[0] : `one of ${allowed.join(', ')}`}`;
    }
    case 'invalid_union':
      return `expected one of ${optionsOf(issue).join(', ')}`;
    case 'too_small':
    case 'too_big':
      return `expected ${limit(issue)}`;
    case 'unrecognized_keys': {
      const allowed = Object.keys((issue.inst as z.ZodObject).shape);
      return issue.keys.map((key) => unknownKey(key, allowed)).join('\n'); // one line for each key
    }
    default:
      return undefined;
  }
}

/** Adds what was received; an issue with several unknown keys is taken apart. */
function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const { path, message, input } = issue;
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string';
  switch (issue.code) {
    case 'unrecognized_keys': {
      const messages = message.split('\n');
      return issue.keys.map((key, index) => ({ path: [...path, key], message: messages[index]! }));
    }
    case 'custom':
      return [{ path, message, ...(issue.params?.['needs'] && { needs: issue.params['needs'] }) }];
    case 'invalid_value':
      return [{ path, message: message + received(input, issue.values.map(String)) }];
    case 'invalid_union':
      return [{ path, message: message + received((input as { kind?: unknown }).kind, optionsOf(issue)) }];
    default:
      return [{ path, message: message + received(input), ...(wantsText && { wantsText }) }];
  }
}

function received(input: unknown, allowed: readonly string[] = []): string {
  if (input === undefined) return '';
  const near = typeof input === 'string' ? nearest(input, allowed) : undefined;
  return `, received ${show(input)}${near ? `; did you mean ${near}?` : ''}`;
}

function unknownKey(key: string, allowed: readonly string[]): string {
  const near = nearest(key, allowed);
  return `unknown key${near ? `; did you mean ${near}?` : ''} (allowed: ${allowed.join(', ')})`;
}

/** The allowed values of the key that tells the members of a union apart: `kind`, wherever this project has a union. */
function optionsOf(issue: z.core.$ZodIssueInvalidUnion | z.core.$ZodRawIssue): readonly string[] {
  return (issue as { readonly options?: readonly unknown[] }).options?.map(String) ?? [];
}

function limit(issue: z.core.$ZodRawIssue & { code: 'too_small' | 'too_big' }): string {
  const isLower = issue.code === 'too_small';
  const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  if (issue.origin === 'array') return `at ${isLower ? 'least' : 'most'} ${bound} entries`;
  if (issue.origin === 'string') return 'text that is not empty';
  return `a number ${isLower ? '>' : '<'}${issue.inclusive ? '=' : ''} ${bound}`;
}

/** What a missing field means. */
function documentation(schema: unknown): string | undefined {
  return schema instanceof z.ZodType ? z.globalRegistry.get(schema)?.description : undefined;
}
