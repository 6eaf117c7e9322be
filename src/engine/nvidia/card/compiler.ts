/** NVRTC (nvrtc.h): CUDA C++ in, machine code of the card out. It needs no card. */
import type { LibraryHandle } from 'koffi';
import { RequestError } from '../../../shared/errors.js';
import { declarer, made } from './driver.js';
import { KernelCache } from './kernel-cache.js';

/** nvrtcResult. */
const compilationFailed = 6;

const lanesOfWarp = 32;

function bindNvrtc(library: LibraryHandle) {
  const meaningOf: (status: number) => string = library.func('const char *nvrtcGetErrorString(int status)');
  const declare = declarer(library, (name, status) => new Error(`NVRTC: ${name} failed: ${meaningOf(status)}`));
  return {
    meaningOf,
    version: declare('int nvrtcVersion(_Out_ int *major, _Out_ int *minor)'),
    architectureCount: declare('int nvrtcGetNumSupportedArchs(_Out_ int *count)'),
    architectures: declare('int nvrtcGetSupportedArchs(void *values)'),
    create: declare(
      'int nvrtcCreateProgram(_Out_ uintptr_t *program, const char *source, const char *name, int headerCount, const char **headers, const char **headerNames)',
    ),
    destroy: declare('int nvrtcDestroyProgram(uintptr_t *program)'),
    compile: library.func('int nvrtcCompileProgram(uintptr_t program, int optionCount, const char **options)'),
    logSize: declare('int nvrtcGetProgramLogSize(uintptr_t program, _Out_ size_t *size)'),
    log: declare('int nvrtcGetProgramLog(uintptr_t program, void *text)'),
    machineCodeSize: declare('int nvrtcGetCUBINSize(uintptr_t program, _Out_ size_t *size)'),
    machineCode: declare('int nvrtcGetCUBIN(uintptr_t program, void *code)'),
    assemblySize: declare('int nvrtcGetPTXSize(uintptr_t program, _Out_ size_t *size)'),
    assembly: declare('int nvrtcGetPTX(uintptr_t program, void *code)'),
  };
}

export class Compiler {
  readonly #nvrtc: ReturnType<typeof bindNvrtc>;
  readonly #architecture: string;
  readonly #version: string;
  readonly #cache: KernelCache;

  /**
   * @param computeCapability of the card, e.g. [9, 0]
   * @throws RequestError where this NVRTC knows no architecture that the card can run
   */
  constructor(library: LibraryHandle, [major, minor]: readonly [number, number], cache = new KernelCache()) {
    this.#nvrtc = bindNvrtc(library);
    this.#cache = cache;
    const [release, update] = [[0], [0]];
    this.#nvrtc.version(release, update);
    this.#version = `NVRTC ${release[0]}.${update[0]}`;
    const known = new Int32Array(made(this.#nvrtc.architectureCount));
    this.#nvrtc.architectures(known);
    const own = major * 10 + minor;
    const newest = Math.max(...known.filter((each) => each <= own));
    if (!Number.isFinite(newest)) {
      throw new RequestError(
        `CUDA's compiler (NVRTC) writes code for cards of compute capability ${Math.min(...known) / 10} or newer; this one has ${major}.${minor}`,
        'The card is too old for the CUDA that its driver runs: give --device cpu.',
      );
    }
    // The driver translates the assembly of an older architecture for a card that this NVRTC does not know yet.
    this.#architecture = newest === own ? `sm_${own}` : `compute_${newest}`;
  }

  /** @returns what the driver loads as a module */
  compile(source: string): Uint8Array {
    const options = [
      `--gpu-architecture=${this.#architecture}`,
      '--std=c++17',
      '--fmad=true',
      '--device-as-default-execution-space',
      `--define-macro=WARP=${lanesOfWarp}`,
    ];
    return this.#cache.of([this.#version, ...options, source], () => this.#compileAnew(source, options));
  }

  #compileAnew(source: string, options: readonly string[]): Uint8Array {
    const nvrtc = this.#nvrtc;
    const program = made(nvrtc.create, source, 'kernels.cu', 0, null, null);
    try {
      const status: number = nvrtc.compile(program, options.length, options);
      if (status === compilationFailed) throw new Error(describe(this.#text(program), source));
      if (status !== 0) throw new Error(`NVRTC: ${nvrtc.meaningOf(status)}\n${this.#text(program)}`);
      const isMachineCode = this.#architecture.startsWith('sm_');
      const [sizeOf, read] = isMachineCode
        ? [nvrtc.machineCodeSize, nvrtc.machineCode]
        : [nvrtc.assemblySize, nvrtc.assembly];
      const code = new Uint8Array(made((size) => sizeOf(program, size)));
      read(program, code);
      return code;
    } finally {
      nvrtc.destroy([program]);
    }
  }

  #text(program: number): string {
    const log = Buffer.alloc(made((size) => this.#nvrtc.logSize(program, size)));
    if (log.length > 0) this.#nvrtc.log(program, log);
    return log.toString('utf8').replace(/\0.*$/s, '').trim();
  }
}

/** The log, and the line of the source that its first error names, as kernels.cu(2) or kernels.cu:2:7. */
function describe(log: string, source: string): string {
  const line = Number(/kernels\.cu(?:\((\d+)\)|:(\d+):\d+): (?:fatal )?error/.exec(log)?.slice(1).find(Boolean));
  const text = source.split('\n')[line - 1];
  return `a kernel does not compile:\n${log}${text === undefined ? '' : `\nline ${line}: ${text.trim()}`}`;
}
