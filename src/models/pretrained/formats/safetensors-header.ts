/**
 * The header of a safetensors file: 8 bytes (length N, little endian), N bytes of JSON, then the data to the end of the
 * file. Checked as the reference reader does (huggingface/safetensors, safetensors/src/tensor.rs): the tensors cover the
 * data exactly, without holes, overlaps or trailing bytes. Beyond the reference, duplicate names are refused, as the
 * format's description asks.
 */
import { sizeOf } from '../../../shared/arrays.js';

/** Bits per element of all types of the format, in the order in which writers sort tensors. */
export const dtypeBits = {
  U64: 64,
  I64: 64,
  F64: 64,
  C64: 64,
  F32: 32,
  U32: 32,
  I32: 32,
  BF16: 16,
  F16: 16,
  U16: 16,
  I16: 16,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I8: 8,
  U8: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
  BOOL: 8,
} as const;

export type Dtype = keyof typeof dtypeBits;

export interface TensorEntry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Position of the first byte, and of the first byte after the tensor, in the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the data. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The limit of the reference reader. */
export const longestHeader = 100_000_000;

/** What is wrong with a header, without the file's name. */
export class InvalidHeader extends Error {}

/** @param json the header's bytes, @param fileSize bytes of the whole file; throws InvalidHeader */
export function parseHeader(json: Uint8Array, fileSize: number): SafetensorsHeader {
  const text = decodeUtf8(json);
  const header = parseObject(text);
  const { __metadata__: metadataValue, ...tensors } = header;
  const metadata = metadataOf(metadataValue);
  const dataStart = 8 + json.length;
  const named = Object.entries(tensors).map(([name, value]) => [name, entryOf(name, value, dataStart)] as const);
  refuseDuplicates(text);
  named.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = dataStart;
  for (const [name, { begin, end }] of named) {
    if (begin !== position) {
      const fault = begin > position ? 'leaves a hole before it' : 'overlaps the tensor before it';
      throw new InvalidHeader(`tensor ${name} begins at byte ${begin}, not at ${position}: it ${fault}`);
    }
    position = end;
  }
  if (position > fileSize) {
    throw new InvalidHeader(`its tensors end at byte ${position}, the file has ${fileSize} bytes: it is truncated`);
  }
  if (position < fileSize) {
    throw new InvalidHeader(`${fileSize - position} bytes follow its last tensor, which ends at byte ${position}`);
  }
  return { entries: new Map(named), metadata };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InvalidHeader('its header is not valid UTF-8');
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidHeader(`its header is not valid JSON (${(error as Error).message})`);
  }
  if (!isObject(value)) throw new InvalidHeader('its header is not a JSON object');
  return value;
}

function metadataOf(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value) || !Object.values(value).every((item) => typeof item === 'string')) {
    throw new InvalidHeader('__metadata__ must map strings to strings');
  }
  return value as Record<string, string>;
}

function entryOf(name: string, value: unknown, dataStart: number): TensorEntry {
  const fail = (reason: string) => new InvalidHeader(`tensor ${name}: ${reason}`);
  if (!isObject(value)) throw fail('its entry is not an object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBits, dtype)) {
    throw fail(`dtype ${JSON.stringify(dtype)} is not one of ${Object.keys(dtypeBits).join(', ')}`);
  }
  if (!isCounts(shape)) throw fail(`shape ${JSON.stringify(shape)} is not a list of whole numbers`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw fail(`data_offsets ${JSON.stringify(offsets)} are not two whole numbers`);
  }
  const [begin, end] = offsets as [number, number];
  if (end < begin) throw fail(`data_offsets [${begin}, ${end}] end before they begin`);
  const bits = sizeOf(shape) * dtypeBits[dtype as Dtype];
  if (!Number.isSafeInteger(bits)) throw fail(`shape [${shape.join(', ')}] is too large`);
  if (bits !== 8 * (end - begin)) {
    throw fail(`${dtype} [${shape.join(', ')}] needs ${bits / 8} bytes, its data_offsets give it ${end - begin}`);
  }
  return { dtype: dtype as Dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

/** JSON.parse keeps the last of two equal names silently, so the names of the outermost object are read again. */
function refuseDuplicates(text: string): void {
  const names = new Set<string>();
  let depth = 0;
  for (let position = 0; position < text.length; position++) {
    const character = text[position];
    if (character === '{') depth++;
    else if (character === '}') depth--;
    else if (character === '"') {
      const start = position;
      position = endOfString(text, start);
      if (depth !== 1) continue;
      // The values of the outermost object are objects by now, so that its only strings are names.
      const name = JSON.parse(text.slice(start, position + 1)) as string;
      if (names.has(name)) throw new InvalidHeader(`two tensors are named ${name}`);
      names.add(name);
    }
  }
}

/** Position of the closing quote; a loop, because a regular expression overflows the stack on metadata of some MB. */
function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
