/**
 * Reader of the one kind of pickle that CIFAR-100 ships: a dictionary of byte strings, lists of small integers and
 * one uint8 numpy array, written by Python 2 (protocol 0 text globals, protocol 2 opcodes).
 *
 * A pickle is a program. This reader is an allow-list: it runs no code, and any opcode or global that such a file
 * does not need is refused. Opcodes: Python's Lib/pickletools.py. Numpy state: numpy/core/src/multiarray/methods.c,
 * array_setstate.
 */
import { RequestError } from '../../../shared/errors.js';

/** A uint8 array, row-major. */
export interface PickledArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}
export type PickleValue = null | boolean | number | string | Uint8Array | PickledArray | PickleList | PickleDictionary;
export interface PickleList extends ReadonlyArray<PickleValue> {}
export interface PickleDictionary extends ReadonlyMap<string, PickleValue> {}

/** Stand-ins for the Python objects a numpy array is built from. */
class Global {
  constructor(readonly name: string) {}
}
class ArrayUnderConstruction {
  value: PickledArray | undefined;
}
class DtypeUnderConstruction {
  constructor(readonly code: string) {}
}
class Mark {}
class Tuple {
  constructor(readonly items: readonly Item[]) {}
}
type Item =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Item[]
  | Map<string, Item>
  | Global
  | ArrayUnderConstruction
  | DtypeUnderConstruction
  | Mark
  | Tuple;

const deepest = 4;
/** A file of CIFAR-100 has 150,000: two labels and a name for each of 50,000 images. */
const mostValues = 1_000_000;
const allowedGlobals = new Set([
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.ndarray',
  'numpy.dtype',
]);

/**
 * Value of a pickle; byte strings that are dictionary keys become text, others stay bytes. `file` is only named in
 * errors.
 */
export function parsePickle(bytes: Uint8Array, file: string): PickleValue {
  return new PickleMachine(bytes, file).run();
}

class PickleMachine {
  private readonly stack: Item[] = [];
  private readonly memo = new Map<number, Item>();
  private at = 0;
  private values = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
  ) {}

  run(): PickleValue {
    while (this.at < this.bytes.length) {
      const opcode = String.fromCharCode(this.bytes[this.at++]!);
      if (opcode === '.') return this.finished(this.pop());
      this.step(opcode);
    }
    throw this.damaged('the file ends before the pickle does');
  }

  private step(opcode: string): void {
    const literal = this.literal(opcode);
    if (literal === undefined) this.rearrange(opcode);
    else this.stack.push(literal);
  }

  /** The value that an opcode pushes; undefined for opcodes that work on what is on the stack. */
  private literal(opcode: string): Item | undefined {
    switch (opcode) {
      case '}': // EMPTY_DICT
        return new Map();
      case ']': // EMPTY_LIST
        return [];
      case ')': // EMPTY_TUPLE
        return new Tuple([]);
      case '(': // MARK
        return new Mark();
      case 'N': // NONE
        return null;
      case '\x88': // NEWTRUE
      case '\x89': // NEWFALSE
        return opcode === '\x88';
      case 'K': // BININT1
        return this.byte();
      case 'M': // BININT2
        return this.read(2).getUint16(0, true);
      case 'J': // BININT
        return this.read(4).getInt32(0, true);
      case 'U': // SHORT_BINSTRING
        return this.take(this.byte());
      case 'T': // BINSTRING
        return this.take(this.read(4).getInt32(0, true));
      case 'X': // BINUNICODE
        return Buffer.from(this.take(this.read(4).getUint32(0, true))).toString('utf8');
      case 'h': // BINGET
        return this.recall(this.byte());
      case 'j': // LONG_BINGET
        return this.recall(this.read(4).getUint32(0, true));
      case 'c': // GLOBAL
        return this.global(`${this.line()}.${this.line()}`);
      default:
        return undefined;
    }
  }

  private rearrange(opcode: string): void {
    const { stack } = this;
    switch (opcode) {
      case '\x80': // PROTO
        if (this.byte() > 2) throw this.refused('a pickle protocol above 2');
        return;
      case 'q': // BINPUT
        this.memo.set(this.byte(), this.top());
        return;
      case 'r': // LONG_BINPUT
        this.memo.set(this.read(4).getUint32(0, true), this.top());
        return;
      case '\x85': // TUPLE1
      case '\x86': // TUPLE2
      case '\x87': // TUPLE3
        stack.push(new Tuple(this.popMany(opcode.charCodeAt(0) - 0x84)));
        return;
      case 't': // TUPLE
        stack.push(new Tuple(this.popToMark()));
        return;
      case 'a': // APPEND
        this.append([this.pop()]);
        return;
      case 'e': // APPENDS
        this.append(this.popToMark());
        return;
      case 's': // SETITEM
        this.setItems(this.popMany(2));
        return;
      case 'u': // SETITEMS
        this.setItems(this.popToMark());
        return;
      case 'R': // REDUCE
        stack.push(this.construct(...(this.popMany(2) as [Item, Item])));
        return;
      case 'b': // BUILD
        this.build(this.pop());
        return;
      default:
        throw this.refused(`opcode 0x${opcode.charCodeAt(0).toString(16)} at byte ${this.at - 1}`);
    }
  }

  private global(name: string): Global {
    if (!allowedGlobals.has(name)) throw this.refused(`the Python object ${name}`);
    return new Global(name);
  }

  private construct(callee: Item, args: Item): Item {
    const items = args instanceof Tuple ? args.items : [];
    if (callee instanceof Global && callee.name.endsWith('_reconstruct')) return new ArrayUnderConstruction();
    if (callee instanceof Global && callee.name === 'numpy.dtype') return new DtypeUnderConstruction(asText(items[0]));
    throw this.refused('a call of something else than numpy array construction');
  }

  private build(state: Item): void {
    const target = this.top();
    if (target instanceof DtypeUnderConstruction) return; // byte order and alignment: nothing to know for one byte
    const parts = state instanceof Tuple ? state.items : [];
    const [, shape, dtype, fortranOrder, data] = parts;
    if (!(target instanceof ArrayUnderConstruction) || !(shape instanceof Tuple) || !(data instanceof Uint8Array)) {
      throw this.refused('object state that is not that of a numpy array');
    }
    if (!(dtype instanceof DtypeUnderConstruction) || dtype.code !== 'u1' || fortranOrder) {
      throw this.refused('a numpy array that is not row-major uint8');
    }
    const extents = shape.items.map(Number);
    const size = extents.reduce((product, extent) => product * extent, 1);
    if (size !== data.length) {
      throw this.damaged(`an array of shape ${extents.join('x')} has ${data.length} bytes`);
    }
    target.value = { shape: extents, data };
  }

  private append(items: readonly Item[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.damaged('items are appended to something that is no list');
    for (const item of items) list.push(item);
  }

  private setItems(items: readonly Item[]): void {
    const dictionary = this.top();
    if (!(dictionary instanceof Map)) throw this.damaged('items are set on something that is no dictionary');
    for (let index = 0; index + 1 < items.length; index += 2) dictionary.set(asText(items[index]), items[index + 1]!);
  }

  private finished(item: Item, depth = 0): PickleValue {
    // Lists can be made to contain themselves; real files are three levels deep.
    if (depth > deepest) throw this.refused(`values nested more than ${deepest} deep`);
    // A list can name another one a thousand times, and that one a third: a few bytes stand for billions of values.
    if (++this.values > mostValues) throw this.refused(`more than ${mostValues} values`);
    const inner = (each: Item) => this.finished(each, depth + 1);
    if (item instanceof ArrayUnderConstruction) {
      if (!item.value) throw this.damaged('a numpy array without data');
      return item.value;
    }
    if (item instanceof Tuple) return item.items.map(inner);
    if (Array.isArray(item)) return item.map(inner);
    if (item instanceof Map) return new Map([...item].map(([key, each]) => [key, inner(each)]));
    if (item instanceof Global || item instanceof DtypeUnderConstruction || item instanceof Mark) {
      throw this.refused('a Python object that is no data');
    }
    return item;
  }

  private recall(index: number): Item {
    const item = this.memo.get(index);
    if (item === undefined) throw this.damaged(`memo ${index} is used before it is set`);
    return item;
  }

  private top(): Item {
    const item = this.stack.at(-1);
    if (item === undefined) throw this.damaged('its stack is empty');
    return item;
  }

  private pop(): Item {
    const item = this.top();
    this.stack.pop();
    return item;
  }

  private popMany(count: number): Item[] {
    if (this.stack.length < count) throw this.damaged('its stack is empty');
    return this.stack.splice(this.stack.length - count);
  }

  private popToMark(): Item[] {
    const mark = this.stack.findLastIndex((item) => item instanceof Mark);
    if (mark < 0) throw this.damaged('a mark is missing');
    return this.stack.splice(mark).slice(1);
  }

  private byte(): number {
    return this.read(1).getUint8(0);
  }

  private read(size: number): DataView {
    const { buffer, byteOffset } = this.take(size);
    return new DataView(buffer, byteOffset, size);
  }

  private take(size: number): Uint8Array {
    const end = this.at + size;
    if (size < 0 || end > this.bytes.length) throw this.damaged('the file ends before the pickle does');
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.damaged('the file ends before the pickle does');
    const text = this.take(end - this.at);
    this.at += 1;
    return Buffer.from(text).toString('latin1');
  }

  private damaged(problem: string): RequestError {
    return new RequestError(`${this.file} is a damaged or truncated pickle: ${problem}`, 'Download the archive again.');
  }

  private refused(what: string): RequestError {
    return new RequestError(
      `${this.file} holds ${what}, which a CIFAR-100 file does not need; nothing of it was run`,
      'Use the official cifar-100-python.tar.gz, or cifar-100-binary.tar.gz.',
    );
  }
}

function asText(item: Item | undefined): string {
  if (typeof item === 'string') return item;
  return item instanceof Uint8Array ? Buffer.from(item).toString('latin1') : String(item);
}
