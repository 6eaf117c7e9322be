/** Kernels: compiled, loaded, launched. */
import type { LibraryHandle } from 'koffi';
import { messageOf } from '../../../shared/errors.js';
import koffi from '../../koffi.js';
import type { Address, Kernel } from './card.js';
import { Compiler } from './compiler.js';
import { type Driver, made } from './driver.js';

/** CUDA allows 4 KiB of parameters on all cards. */
const mostParameters = 512;
const highWord = 2 ** 32;

interface LoadedKernel extends Kernel {
  readonly handle: number;
  readonly parameters: number;
}

export class Kernels {
  readonly #compiler: Compiler;
  readonly #modules: number[] = [];
  /** Values of parameters, and the pointers to them that the driver reads during the call. */
  readonly #memory: bigint = koffi.alloc('uint64_t', 2 * mostParameters);
  readonly #values = new Uint32Array(koffi.view(this.#memory, 8 * mostParameters));
  readonly #pointers = Number(this.#memory) + 8 * mostParameters;

  constructor(
    readonly driver: Driver,
    nvrtc: LibraryHandle,
    computeCapability: readonly [number, number],
    readonly stream: number,
  ) {
    this.#compiler = new Compiler(nvrtc, computeCapability);
    const pointers = new BigUint64Array(koffi.view(BigInt(this.#pointers), 8 * mostParameters));
    for (let index = 0; index < mostParameters; index++) pointers[index] = this.#memory + BigInt(8 * index);
  }

  compile(source: string, names: readonly string[]): Kernel[] {
    const module = made(this.driver.moduleLoad, this.#compiler.compile(source));
    this.#modules.push(module);
    return names.map((name): LoadedKernel => {
      const parameters = parametersOf(source, name);
      return { name, handle: made(this.driver.moduleGetFunction, module, name), parameters };
    });
  }

  launch(kernel: Kernel, blocks: number, threads: number, addresses: readonly Address[]): void {
    const { name, handle, parameters } = kernel as LoadedKernel;
    if (addresses.length !== parameters) {
      throw new Error(`${name} has ${parameters} parameters; ${addresses.length} addresses were given`);
    }
    const values = this.#values;
    for (let index = 0; index < parameters; index++) {
      const address = addresses[index]!;
      values[2 * index] = address; // modulo 2^32
      values[2 * index + 1] = address / highWord;
    }
    try {
      this.driver.launchKernel(handle, blocks, 1, 1, threads, 1, 1, 0, this.stream, this.#pointers, 0);
    } catch (error) {
      throw new Error(`kernel ${name} (${blocks} blocks, ${threads} threads): ${messageOf(error)}`, { cause: error });
    }
  }

  dispose(): void {
    for (const module of this.#modules.splice(0)) this.driver.moduleUnload(module);
    koffi.free(this.#memory);
  }
}

/** How many parameters a kernel has: the driver reads as many values, whatever is given. */
function parametersOf(source: string, name: string): number {
  const list = new RegExp(`__global__[^;{}]*?\\b${name}\\s*\\(([^)]*)\\)`).exec(source)?.[1];
  if (list === undefined) throw new Error(`no kernel ${name} in the source`);
  const count = list.trim() === '' ? 0 : list.split(',').length;
  if (count > mostParameters)
    throw new Error(`${name} has ${count} parameters; at most ${mostParameters} are possible`);
  return count;
}
