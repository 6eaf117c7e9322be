/** What a MATLAB file holds, and typed access to it: every reader below says which variable or field it misses. */
import { RequestError } from '../../../shared/errors.js';

/** Numeric or logical array, column-major. 64-bit integers above 2^53 lose precision. */
export interface MatlabNumbers {
  readonly kind: 'numbers';
  readonly dims: readonly number[];
  readonly logical: boolean;
  readonly values: readonly number[];
}
export interface MatlabText {
  readonly kind: 'text';
  readonly dims: readonly number[];
  readonly text: string;
}
export interface MatlabCell {
  readonly kind: 'cell';
  readonly dims: readonly number[];
  readonly cells: readonly MatlabValue[];
}
export interface MatlabStruct {
  readonly kind: 'struct';
  readonly dims: readonly number[];
  readonly fields: readonly string[];
  readonly elements: readonly Readonly<Record<string, MatlabValue>>[];
}
export type MatlabValue = MatlabNumbers | MatlabText | MatlabCell | MatlabStruct;

export interface MatlabFile {
  readonly file: string;
  readonly variables: ReadonlyMap<string, MatlabValue>;
}

/** All numbers of a numeric variable, in column-major order. */
export function numbersOf(matlab: MatlabFile, name: string): readonly number[] {
  return asKind(variable(matlab, name), 'numbers', `${matlab.file}: variable '${name}'`).values;
}

/** All strings of a cell variable. */
export function textsOf(matlab: MatlabFile, name: string): readonly string[] {
  const where = `${matlab.file}: variable '${name}'`;
  const { cells } = asKind(variable(matlab, name), 'cell', where);
  return cells.map((cell, index) => asKind(cell, 'text', `${where}, cell ${index + 1}`).text);
}

/** All elements of a struct variable that must have the named fields. */
export function structOf(matlab: MatlabFile, name: string, fields: readonly string[]): StructRows {
  const where = `${matlab.file}: variable '${name}'`;
  const struct = asKind(variable(matlab, name), 'struct', where);
  const missing = fields.filter((field) => !struct.fields.includes(field));
  if (missing.length > 0) {
    throw new RequestError(
      `${where} has no field ${missing.map((field) => `'${field}'`).join(', ')}; it has ${struct.fields.join(', ')}`,
    );
  }
  const at = (row: number, field: string) => struct.elements[row]![field]!;
  const place = (row: number, field: string) => `${where}, element ${row + 1}, field '${field}'`;
  return {
    length: struct.elements.length,
    number(row, field) {
      const { values } = asKind(at(row, field), 'numbers', place(row, field));
      if (values.length !== 1) throw new RequestError(`${place(row, field)} has ${values.length} numbers, expected 1`);
      return values[0]!;
    },
    text: (row, field) => asKind(at(row, field), 'text', place(row, field)).text,
  };
}

/** Rows of a MATLAB struct array, read field by field. */
export interface StructRows {
  readonly length: number;
  number(row: number, field: string): number;
  text(row: number, field: string): string;
}

/** Whether `name` is a struct variable with this field. */
export function hasField(matlab: MatlabFile, name: string, field: string): boolean {
  const value = matlab.variables.get(name);
  return value?.kind === 'struct' && value.fields.includes(field);
}

function variable(matlab: MatlabFile, name: string): MatlabValue {
  const value = matlab.variables.get(name);
  if (value) return value;
  const present = [...matlab.variables.keys()].join(', ') || 'none';
  throw new RequestError(`${matlab.file} has no variable '${name}'; it has ${present}`);
}

function asKind<Kind extends MatlabValue['kind']>(
  value: MatlabValue,
  kind: Kind,
  where: string,
): Extract<MatlabValue, { kind: Kind }> {
  if (value.kind !== kind) throw new RequestError(`${where} is a ${value.kind} array, expected ${kind}`);
  return value as Extract<MatlabValue, { kind: Kind }>;
}
