/**
 * The safetensors format of Hugging Face (huggingface/safetensors, README.md): named tensors with a JSON header. All
 * weights and checkpoints of this project are kept in it. Everything is widened to float32 while reading.
 *
 * Written by hand because no npm library reads or writes the tensors; @huggingface/hub parses headers only.
 */
import { type Float32NdArray, float32, type StateDict } from '../../../shared/arrays.js';
import { RequestError } from '../../../shared/errors.js';
import { writeAtomic } from '../../../shared/files.js';
import { narrowToBFloat16, narrowToHalf, widenBFloat16, widenHalf } from './half.js';
import { damagedFileHint, RangeReader } from './range-reader.js';
import {
  dtypeBits,
  InvalidHeader,
  longestHeader,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header.js';
import type { Weights } from './weights.js';

/** Small tensors that lie side by side are read and written together, up to this many bytes. */
const groupBytes = 16 * 2 ** 20;

export interface WriteOptions {
  /** Type of all tensors in the file, default F32. */
  readonly dtype?: 'F32' | 'F16' | 'BF16';
  /** Free text by name; `format: 'pt'` is added, because loaders of Hugging Face refuse files without it. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** All tensors of a file as float32, and its metadata. Throws a RequestError when the file is not valid. */
export async function readSafetensors(file: string): Promise<{ tensors: StateDict; metadata: Record<string, string> }> {
  const open = await openSafetensors(file);
  try {
    return { tensors: await open.readAll(), metadata: { ...open.metadata } };
  } finally {
    await open.close();
  }
}

/** Reads and checks the header only; tensors are then read one by one. The caller closes it. */
export async function openSafetensors(file: string): Promise<SafetensorsFile> {
  const reader = await RangeReader.open(file);
  try {
    return new SafetensorsFile(reader, await readHeader(reader));
  } catch (error) {
    await reader.close();
    throw error;
  }
}

export class SafetensorsFile implements Weights {
  readonly names: ReadonlySet<string>;

  constructor(
    private readonly reader: RangeReader,
    private readonly header: SafetensorsHeader,
  ) {
    this.names = new Set(header.entries.keys());
  }

  get location(): string {
    return this.reader.file;
  }

  /** Type, shape and place of every tensor, in the order of the file. */
  get entries(): ReadonlyMap<string, TensorEntry> {
    return this.header.entries;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.header.metadata;
  }

  /** One tensor, widened to float32. */
  async read(name: string): Promise<Float32NdArray> {
    const entry = this.entry(name);
    return this.decode(name, entry, await this.reader.read(entry.begin, entry.end - entry.begin));
  }

  /** One tensor's bytes as they are in the file. */
  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { begin, end } = this.entry(name);
    return this.reader.read(begin, end - begin);
  }

  async readAll(): Promise<StateDict> {
    const tensors: [string, Float32NdArray][] = [];
    for (const group of groupsOf([...this.entries], ([, { begin, end }]) => end - begin)) {
      const begin = group[0]![1].begin;
      const bytes = await this.reader.read(begin, group.at(-1)![1].end - begin);
      for (const [name, entry] of group) {
        // A copy, so that a tensor does not keep its neighbours alive, and is aligned.
        const own = group.length === 1 ? bytes : bytes.slice(entry.begin - begin, entry.end - begin);
        tensors.push([name, this.decode(name, entry, own)]);
      }
    }
    return Object.fromEntries(tensors);
  }

  async close(): Promise<void> {
    await this.reader.close();
  }

  private entry(name: string): TensorEntry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    throw new RequestError(`${this.location} has no tensor ${name}`, 'It holds the weights of another network.');
  }

  private decode(name: string, { dtype, shape }: TensorEntry, bytes: Uint8Array<ArrayBuffer>): Float32NdArray {
    const decoder = decoders[dtype];
    if (decoder) return float32(shape, decoder(bytes.buffer));
    throw new RequestError(
      `${this.location}: tensor ${name} has type ${dtype}, which is not supported`,
      `Weights have one of the types ${Object.keys(decoders).join(', ')}; those of a quantised network have to be converted first.`,
    );
  }
}

/**
 * Writes all tensors, rounded to `dtype` (to nearest, ties to even), to a temporary file that then takes the name `file`.
 * Names are sorted and the data begins at a multiple of 8 bytes, as the reference writer does.
 */
export async function writeSafetensors(file: string, tensors: StateDict, options: WriteOptions = {}): Promise<void> {
  const dtype = options.dtype ?? 'F32';
  const names = Object.keys(tensors).sort();
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...options.metadata } };
  let position = 0;
  for (const name of names) {
    if (name === '__metadata__') throw new Error('no tensor can be named __metadata__');
    const { shape, data } = tensors[name]!;
    const end = position + (data.length * dtypeBits[dtype]) / 8;
    header[name] = { dtype, shape, data_offsets: [position, end] };
    position = end;
  }
  const parts = names.map((name) => encode(tensors[name]!.data, dtype));
  const groups = groupsOf(parts, (part) => part.length).map((group) =>
    group.length === 1 ? group[0]! : Buffer.concat(group),
  );
  await writeAtomic(file, [headerBytes(header), ...groups]);
}

async function readHeader(reader: RangeReader): Promise<SafetensorsHeader> {
  try {
    return parseHeader(await headerJson(reader), reader.size);
  } catch (error) {
    if (!(error instanceof InvalidHeader)) throw error;
    throw new RequestError(`${reader.file} is not a valid safetensors file: ${error.message}`, damagedFileHint);
  }
}

async function headerJson(reader: RangeReader): Promise<Uint8Array> {
  const { file, size } = reader;
  const start = await reader.read(0, Math.min(size, 64));
  refuseOtherFormats(file, Buffer.from(start).toString('latin1'));
  if (size < 8) throw new InvalidHeader(`it has ${size} bytes, the shortest has 8`);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > longestHeader) throw new InvalidHeader(`its header would have ${length} bytes`);
  if (8 + length > size) throw new InvalidHeader(`its header ends at byte ${8 + length}, the file has ${size} bytes`);
  return reader.read(8, length);
}

/** What people find under the name of a weight file when a download went wrong. */
function refuseOtherFormats(file: string, start: string): void {
  if (start.startsWith('version https://git-lfs')) {
    throw new RequestError(
      `${file} is a Git LFS pointer, not the weights themselves`,
      'Run `git lfs pull` in the repository it comes from.',
    );
  }
  if (start.startsWith('PK\x03\x04') || start.startsWith('\x80\x02')) {
    throw new RequestError(
      `${file} is a file of PyTorch under another name: a Python pickle, which is never opened because it can run programs`,
      'Rename it to .pth: esta then says how it is converted.',
    );
  }
  if (/^\s*<(!doctype|html)/i.test(start)) {
    throw new RequestError(
      `${file} is a web page, not a weight file`,
      'Download the file itself, not the page about it.',
    );
  }
}

function headerBytes(header: Record<string, unknown>): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - 8), 0);
  json.copy(bytes, 8);
  return bytes;
}

/**
 * Bytes (aligned, little endian as all platforms of Node.js we support) to float32; F64 is rounded. Of whole numbers there is
 * none: as weights they are codes of a quantised network, which mean nothing without the scales that its library knows.
 */
const decoders: Partial<Record<TensorEntry['dtype'], (buffer: ArrayBuffer) => Float32Array>> = {
  F32: (buffer) => new Float32Array(buffer),
  F16: (buffer) => widenHalf(new Uint16Array(buffer)),
  BF16: (buffer) => widenBFloat16(new Uint16Array(buffer)),
  F64: (buffer) => new Float32Array(new Float64Array(buffer)),
};

function encode(data: Float32Array, dtype: 'F32' | 'F16' | 'BF16'): Uint8Array {
  const elements = { F32: (same: Float32Array) => same, F16: narrowToHalf, BF16: narrowToBFloat16 }[dtype](data);
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

/** Neighbours put together until a group would exceed `groupBytes`. */
function groupsOf<T>(items: readonly T[], sizeOfItem: (item: T) => number): T[][] {
  const groups: T[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const item of items) {
    size += sizeOfItem(item);
    if (size <= groupBytes) groups.at(-1)!.push(item);
    else {
      groups.push([item]);
      size = sizeOfItem(item);
    }
  }
  return groups;
}
