/**
 * C++ of single elements. An index says which element of a value is meant: by its number in row-major order, by its
 * coordinates, or both; views turn one index into another. What is computed once in a scope is named and used again.
 */

import { sizeOf } from '../../../shared/arrays.js';
import { literal } from '../loops/operators.js';
import type { LoopType, Value } from '../loops/value.js';
import { affine, contiguous, isContiguous, isWhole, type Place } from '../loops/views.js';

export interface Index {
  readonly shape: readonly number[];
  /** Expressions of unsigned numbers. Without both, the element of the row is meant. */
  readonly flat?: string;
  readonly coordinates?: readonly string[];
  /** In a loop over rows: the number is row * width + column. */
  readonly row?: { readonly row: string; readonly column: string; readonly width: number };
}

/** As numbers are stored. */
export const storedTypes: Readonly<Record<LoopType, string>> = {
  float32: 'float',
  bfloat16: 'unsigned short',
  int32: 'int',
  bool: 'unsigned char',
  uint8: 'unsigned char',
};

/** As numbers are computed with. */
const computedTypes: Readonly<Record<LoopType, string>> = { ...storedTypes, bfloat16: 'float', bool: 'bool' };

/** The pointers that a kernel takes, in the order in which it first mentions them. */
export class Pointers {
  readonly values: Value[] = [];
  private readonly outputs = new Set<Value>();

  nameOf(value: Value, isOutput = false): string {
    if (!this.values.includes(value)) this.values.push(value);
    if (isOutput) this.outputs.add(value);
    return `a${this.values.indexOf(value)}`;
  }

  declarations(): string {
    return this.values
      .map(
        (value, index) =>
          `${this.outputs.has(value) ? '' : 'const '}${storedTypes[value.type]}* __restrict__ a${index}`,
      )
      .join(', ');
  }
}

/** Which values a kernel computes itself. */
export type Computed = Pick<ReadonlySet<Value>, 'has'>;

export class Scope {
  readonly lines: string[] = [];
  private readonly names = new Map<string, string>();

  /**
   * @param computes values that the kernel itself computes; all others are read
   * @param rows the scope around the loop over columns, where there is one
   */
  constructor(
    private readonly pointers: Pointers,
    private readonly computes: Computed,
    private readonly counter: { count: number },
    private readonly rows?: Scope,
  ) {}

  /** The name under which a value is known here. */
  know(value: Value, index: Index, name: string): void {
    this.names.set(keyOf(value, this.flatOf(index)), name);
  }

  /** The name of an element. */
  element(value: Value, index: Index): string {
    const { made } = value;
    if (made.kind === 'number') return numberOf(made.number, value.type);
    if (this.rows && index.flat === undefined && index.coordinates === undefined) {
      return this.rows.element(value, { shape: value.shape, flat: index.row!.row });
    }
    if (made.kind === 'view' && isWhole(value)) {
      const { base } = affine(value)!;
      return this.element(base, { shape: base.shape, flat: this.flatOf(index), ...(index.row && { row: index.row }) });
    }
    const key = keyOf(value, this.computes.has(value) ? this.flatOf(index) : this.textOf(index));
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const expression = this.computes.has(value) ? this.computed(value, index) : this.expression(value, index);
    const name = this.name('v');
    this.lines.push(`const ${computedTypes[value.type]} ${name} = ${expression};`);
    this.names.set(key, name);
    return name;
  }

  private computed(value: Value, index: Index): string {
    if (value.made.kind !== 'map') throw new Error(`a ${value.made.kind} is not computed element by element`);
    const inputs = value.made.inputs.map((input) =>
      this.element(input, this.broadcast(index, value.shape, input.shape)),
    );
    return value.made.code.replaceAll(/\$(\d+)/g, (_, at: string) => inputs[Number(at)]!);
  }

  /** An expression that reads only what it needs: one side of a choice may lie outside of its memory. */
  private expression(value: Value, index: Index): string {
    const { made } = value;
    switch (made.kind) {
      case 'number':
        return numberOf(made.number, value.type);
      case 'view': {
        const place = affine(value);
        if (place && !this.computes.has(place.base)) return this.readAt(place, value, index);
        const shown = made.inputs[0];
        return this.expression(shown, this.shownAt(made.map, value, shown, index));
      }
      case 'concat': {
        const at = this.coordinatesOf(index);
        let start = 0;
        const choices = made.inputs.map((part) => {
          const coordinates = at.with(made.axis, start === 0 ? at[made.axis]! : `(${at[made.axis]} - ${start}u)`);
          const choice = this.expression(part, { shape: part.shape, coordinates });
          start += part.shape[made.axis]!;
          return { choice, end: start };
        });
        return choices
          .slice(0, -1)
          .reduceRight(
            (rest, { choice, end }) => `(${at[made.axis]} < ${end}u ? ${choice} : ${rest})`,
            choices.at(-1)!.choice,
          );
      }
      case 'pad': {
        const padded = made.inputs[0];
        const at = this.coordinatesOf(index);
        const coordinates = at.map((name, axis) => (made.before[axis] ? `(${name} - ${made.before[axis]}u)` : name));
        const inside = coordinates.flatMap((name, axis) =>
          padded.shape[axis] === value.shape[axis] ? [] : [`${name} < ${padded.shape[axis]}u`],
        );
        const read = this.expression(padded, { shape: padded.shape, coordinates });
        return inside.length === 0 ? read : `(${inside.join(' && ')} ? ${read} : ${numberOf(made.number, value.type)})`;
      }
      case 'gather': {
        const [data, indices] = made.inputs;
        const at = this.coordinatesOf(index);
        const end = made.axis + indices.shape.length;
        const chosen = this.expression(indices, { shape: indices.shape, coordinates: at.slice(made.axis, end) });
        const coordinates = [...at.slice(0, made.axis), `(unsigned)(${chosen})`, ...at.slice(end)];
        return this.expression(data, { shape: data.shape, coordinates });
      }
      default:
        return this.computes.has(value) ? this.element(value, index) : this.read(value, index);
    }
  }

  /** What a view shows, by its strides in memory. */
  private readAt({ base, offset, strides }: Place, { shape }: Value, index: Index): string {
    if (base.made.kind === 'number') return numberOf(base.made.number, base.type);
    if (offset === 0 && isContiguous(shape, strides)) return this.stored(base, this.flatOf(index));
    const at = this.coordinatesOf(index);
    const terms = shape.flatMap((extent, axis) => {
      const stride = strides[axis]!;
      if (stride === 0 || (extent === 1 && at[axis] === '0u')) return [];
      return [
        stride === 1 ? at[axis]! : stride < 0 ? `(unsigned)(${stride}) * ${at[axis]}` : `${at[axis]} * ${stride}u`,
      ];
    });
    return this.stored(base, [...terms, ...(offset !== 0 || terms.length === 0 ? [`${offset}u`] : [])].join(' + '));
  }

  private read(value: Value, index: Index): string {
    return this.stored(value, this.addressOf(value, index));
  }

  private stored(value: Value, address: string): string {
    const element = `${this.pointers.nameOf(value)}[${address}]`;
    if (value.type === 'bfloat16') return `widened(${element})`;
    return value.type === 'bool' ? `(${element} != 0)` : element;
  }

  /** Where an element lies in the memory of its value. */
  addressOf(value: Value, index: Index): string {
    if (value.pitch === undefined) return this.flatOf(index);
    const width = value.shape.at(-1)!;
    if (index.row?.width === width) return `${index.row.row} * ${value.pitch}u + ${index.row.column}`;
    const at = this.coordinatesOf(index);
    const row = this.flatOf({ shape: value.shape.slice(0, -1), coordinates: at.slice(0, -1) });
    return `${row} * ${value.pitch}u + ${at.at(-1)}`;
  }

  private shownAt(
    map: Extract<Value['made'], { kind: 'view' }>['map'],
    value: Value,
    shown: Value,
    index: Index,
  ): Index {
    const { shape } = shown;
    if (map.kind === 'reshape') {
      return { shape, flat: this.flatOf(index), ...(index.row && { row: index.row }) };
    }
    const at = this.coordinatesOf(index);
    if (map.kind === 'transpose') return { shape, coordinates: shape.map((_, axis) => at[map.order.indexOf(axis)]!) };
    if (map.kind === 'expand') {
      return { shape, coordinates: at.map((name, axis) => (shape[axis] === value.shape[axis] ? name : '0u')) };
    }
    const coordinates = at.map((name, axis) => {
      const [start, step] = [map.starts[axis]!, map.steps[axis]!];
      if (step === 1) return start === 0 ? name : `(${name} + ${start}u)`;
      return step < 0 ? `(${start}u - ${name} * ${-step}u)` : `(${start}u + ${name} * ${step}u)`;
    });
    return { shape, coordinates };
  }

  /** The index of what is broadcast from one shape to another. */
  private broadcast(index: Index, to: readonly number[], from: readonly number[]): Index {
    if (sizeOf(from) === sizeOf(to))
      return { shape: from, flat: this.flatOf(index), ...(index.row && { row: index.row }) };
    const isRow =
      index.row && to.at(-1) === index.row.width && from.at(-1) === 1 && sizeOf(from) * index.row.width === sizeOf(to);
    if (isRow && this.rows) return { shape: from, row: index.row! }; // without a number: in the scope of the row
    if (sizeOf(from) === 1) return { shape: from, flat: '0u' };
    const at = this.coordinatesOf(index);
    return {
      shape: from,
      coordinates: from.map((extent, axis) => (extent === 1 ? '0u' : at[axis + to.length - from.length]!)),
    };
  }

  coordinatesOf(index: Index): readonly string[] {
    if (index.coordinates) return index.coordinates;
    const { shape, flat, row } = index;
    if (row && shape.at(-1) === row.width && shape.length > 1) {
      const owner = this.rows ?? this;
      const above = owner.coordinatesOf({ shape: shape.slice(0, -1), flat: row.row });
      return [...above, row.column];
    }
    const strides = contiguous(shape);
    const outermost = shape.findIndex((extent) => extent > 1);
    return shape.map((extent, axis) => {
      if (extent === 1) return '0u';
      const stride = strides[axis]!;
      const upper = stride === 1 ? flat! : `${flat} / ${stride}u`;
      return this.named(axis === outermost ? upper : `(${upper}) % ${extent}u`);
    });
  }

  flatOf({ shape, flat, coordinates }: Index): string {
    if (flat !== undefined) return flat;
    const strides = contiguous(shape);
    const terms = shape.flatMap((extent, axis) => {
      const at = coordinates![axis]!;
      if (extent === 1 && at === '0u') return [];
      return [strides[axis] === 1 ? at : `${at} * ${strides[axis]}u`];
    });
    return terms.length === 0 ? '0u' : this.named(terms.join(' + '));
  }

  private textOf(index: Index): string {
    return index.coordinates ? index.coordinates.join(',') : this.flatOf(index);
  }

  /** A number by a name of its own, where it is more than a name. */
  named(expression: string): string {
    if (/^\w+$/.test(expression)) return expression;
    const known = this.names.get(expression) ?? this.rows?.names.get(expression);
    if (known !== undefined) return known;
    const name = this.name('i');
    this.lines.push(`const unsigned ${name} = ${expression};`);
    this.names.set(expression, name);
    return name;
  }

  private name(letter: string): string {
    return `${letter}${this.counter.count++}`;
  }
}

const keyOf = ({ id }: Value, index: string) => `#${id} ${index}`;

function numberOf(number: number, type: LoopType): string {
  if (type === 'bool') return number === 0 ? 'false' : 'true';
  return type === 'int32' || type === 'uint8' ? `${Math.trunc(number)}` : literal(number);
}
