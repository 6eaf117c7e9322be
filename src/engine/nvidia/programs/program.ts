/**
 * A plan on a card. The first run queues its launches one by one; later ones replay a recording of them. Values of the caller
 * are copied in and out by one kernel each, so that addresses inside never change.
 */
import type { Precision } from '../../../shared/engine-names.js';
import type { Address, Card, MatrixOperand, RecordedGraph } from '../card/card.js';
import { threads } from '../code/kernel.js';
import { moveText, parts } from '../code/move-kernel.js';
import { bytesPerElement } from '../loops/value.js';
import type { Arena } from './arena.js';
import type { Kernels } from './kernels.js';
import type { FactorLocation, KernelLaunch, Location, Plan, ProductLaunch } from './plan.js';

export class CardProgram {
  private readonly constants: Address | undefined;
  /** Addresses of the matrices of products, as cuBLAS reads them. */
  private readonly tables: Address | undefined;
  private readonly moves: Address;
  private recorded: RecordedGraph | undefined;
  private runs = 0;
  /** Of the arena that the tables point into. */
  private version = -1;

  /** @param fixed addresses of the inputs that stay where they are */
  constructor(
    private readonly card: Card,
    private readonly kernels: Kernels,
    private readonly arena: Arena,
    readonly plan: Plan,
    private readonly fixed: ReadonlyMap<string, Address>,
    private readonly precision: Precision,
  ) {
    kernels.prepare([
      moveText,
      ...plan.launches.flatMap((launch) => (launch.kind === 'kernel' ? [launch.code.text] : [])),
    ]);
    const entries = plan.launches.reduce((sum, launch) => sum + (launch.kind === 'product' ? entriesOf(launch) : 0), 0);
    try {
      if (plan.constantBytes > 0) {
        this.constants = card.allocate(plan.constantBytes);
        for (const { offset, bytes } of plan.constants) card.upload(this.constants + offset, bytes);
      }
      if (entries > 0) this.tables = card.allocate(8 * entries);
      this.moves = card.allocate(24 * Math.max(1, plan.inputs.length + plan.outputs.length));
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Bytes that it holds beside the shared memory. */
  get ownBytes(): number {
    return this.plan.constantBytes;
  }

  /** Queues everything. @param from addresses of the inputs of the plan @param to addresses of its outputs, in its order */
  run(from: readonly Address[], to: readonly Address[]): void {
    const base = this.arena.atLeast(this.plan.arenaBytes);
    if (this.version !== this.arena.version) this.renew(base);
    const { inputs, outputs } = this.plan;
    const table = new BigUint64Array(3 * (inputs.length + outputs.length));
    for (const [index, { location, bytes }] of inputs.entries()) {
      table.set([from[index]!, this.address(location, base), bytes].map(BigInt), 3 * index);
    }
    for (const [index, { location, bytes }] of outputs.entries()) {
      table.set([this.address(location, base), to[index]!, bytes].map(BigInt), 3 * (inputs.length + index));
    }
    this.card.upload(this.moves, table);
    this.move(this.moves, inputs.length);
    this.compute(base);
    this.move(this.moves + 24 * inputs.length, outputs.length);
  }

  private move(table: Address, count: number): void {
    if (count > 0) this.card.launch(this.kernels.of(moveText), count * parts, threads, [table]);
  }

  private compute(base: Address): void {
    // What runs once is not worth a recording.
    if (this.runs++ === 0) this.queue(base);
    else {
      this.recorded ??= this.card.record(() => this.queue(base));
      this.recorded.launch();
    }
  }

  private queue(base: Address): void {
    let entry = 0;
    for (const launch of this.plan.launches) {
      if (launch.kind === 'kernel') this.launch(launch, base);
      else {
        this.multiply(launch, base, entry);
        entry += entriesOf(launch);
      }
    }
  }

  private launch({ code, locations }: KernelLaunch, base: Address): void {
    const addresses = locations.map((location) => this.address(location, base));
    this.card.launch(this.kernels.of(code.text), code.blocks, threads, addresses);
  }

  /** @param entry of the tables, where the matrices do not lie in steps of one size */
  private multiply(launch: ProductLaunch, base: Address, entry: number): void {
    const { m, n, k, alpha } = launch;
    const count = launch.c.matrix.offsets.length;
    const usesTables = entriesOf(launch) > 0;
    const operand = (factor: FactorLocation, index: number): MatrixOperand => {
      const { transposed, pitch, offsets } = factor.matrix;
      return {
        ...{ type: factor.type, transposed, pitch, stride: count > 1 ? offsets[1]! - offsets[0]! : 0 },
        address: this.address(factor.location, base) + offsets[0]! * bytesPerElement[factor.type],
        ...(usesTables && { table: this.tables! + 8 * (entry + index * count) }),
      };
    };
    const [a, b, c] = [launch.a, launch.b, launch.c].map(operand) as [MatrixOperand, MatrixOperand, MatrixOperand];
    this.card.multiply({ m, n, k, alpha, count, a, b, c }, this.precision);
  }

  /** After the shared memory has moved: what was recorded is void, and tables point elsewhere. */
  private renew(base: Address): void {
    this.version = this.arena.version;
    this.forget();
    if (this.tables === undefined) return;
    const addresses = this.plan.launches.flatMap((launch) => {
      if (launch.kind === 'kernel' || entriesOf(launch) === 0) return [];
      return [launch.a, launch.b, launch.c].flatMap(({ location, type, matrix }) => {
        const start = this.address(location, base);
        return matrix.offsets.map((offset) => BigInt(start + offset * bytesPerElement[type]));
      });
    });
    this.card.upload(this.tables, BigUint64Array.from(addresses));
  }

  private address({ in: where, offset }: Location, base: Address): Address {
    const start = where === 'arena' ? base : where === 'constants' ? this.constants! : this.fixed.get(where.input)!;
    return start + offset;
  }

  private forget(): void {
    this.recorded?.release();
    this.recorded = undefined;
  }

  release(): void {
    this.forget();
    for (const address of [this.constants, this.tables, this.moves])
      if (address !== undefined) this.card.release(address);
  }
}

/**
 * Entries of the tables that a product needs: none where one step leads from matrix to matrix. Heads of images do not lie so;
 * a product for each head, in steps from image to image, took longer than a table (0.19 ms instead of 0.09 to 0.16, ViT-B).
 */
function entriesOf({ a, b, c }: ProductLaunch): number {
  const isEven = ({ matrix: { offsets } }: FactorLocation) =>
    offsets.every((offset, index) => index === 0 || offset === offsets[0]! + index * (offsets[1]! - offsets[0]!));
  return [a, b, c].every(isEven) ? 0 : 3 * c.matrix.offsets.length;
}
