/**
 * The libraries that a card needs: the driver's, cuBLAS and the compiler NVRTC. They are loaded by their full paths, those that they
 * need in turn before them, so that LD_LIBRARY_PATH need not name their folders when the process starts.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { LibraryHandle } from 'koffi';
import { messageOf, RequestError } from '../../../shared/errors.js';
import type { CudaVersion } from '../../cuda/builds.js';
import { driverLibrary, findLibraries, type LibraryPlaces, libraryPlaces } from '../../cuda/libraries.js';
import koffi from '../../koffi.js';
import { bindDriver, computeCapabilityOf, made } from './driver.js';

export interface CardLibraries {
  readonly driver: LibraryHandle;
  readonly cublas: LibraryHandle;
  readonly nvrtc: LibraryHandle;
}

/** In the order in which they are loaded: a library finds one that it needs among those that are loaded, by name. */
const namesOf = (cuda: CudaVersion) =>
  [`libcublasLt.so.${cuda}`, `libcublas.so.${cuda}`, `libnvrtc.so.${cuda}`] as const;

const wheels: Readonly<Record<CudaVersion, string>> = {
  12: 'nvidia-cublas-cu12 nvidia-cuda-nvrtc-cu12',
  13: 'nvidia-cublas nvidia-cuda-nvrtc',
};

/** RTLD_NOW | RTLD_NODELETE: koffi unloads a library at the end of its thread, while threads of CUDA's still run in it. */
const forGood = 0x1002;

const loaded = new Map<string, LibraryHandle>();

/** There can be no card: other engines may know another kind of GPU. */
export class NoDriver extends RequestError {}

/** @throws RequestError naming what is missing and the command that brings it; NoDriver */
export function loadCardLibraries(
  places: LibraryPlaces = libraryPlaces(),
  environment: NodeJS.ProcessEnv = process.env,
): CardLibraries {
  const given = (environment['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  if (process.platform !== 'linux') {
    throw new NoDriver(
      `the nvidia engine runs on Linux, not on ${process.platform}`,
      'Give --device webgpu for another way to the card.',
    );
  }
  const driverPlace = findLibraries([driverLibrary], places);
  if (driverPlace.missing.length > 0) {
    throw new NoDriver(
      `no NVIDIA driver: the loader does not find ${driverLibrary}`,
      'Install the driver of the card (Ubuntu: `ubuntu-drivers install`); in a container, start it with `--gpus all`.',
    );
  }
  const driver = load(pathOf(driverLibrary, [...given, ...driverPlace.folders]));
  const { cuda, folders } = chooseCuda(newestCuda(driver), places);
  const [blasLt, blas, compiler] = namesOf(cuda).map((name) => pathOf(name, [...given, ...folders]));
  load(blasLt!);
  for (const file of builtinsBeside(compiler!)) load(file);
  return { driver, cublas: load(blas!), nvrtc: load(compiler!) };
}

/** The newest CUDA that driver and card can run and whose libraries are here. */
function chooseCuda(newest: CudaVersion, places: LibraryPlaces): { cuda: CudaVersion; folders: readonly string[] } {
  const candidates = newest === 13 ? ([13, 12] as const) : ([12] as const);
  for (const cuda of candidates) {
    const { missing, folders } = findLibraries(namesOf(cuda), places);
    if (missing.length === 0) return { cuda, folders };
  }
  throw new RequestError(
    `the card's libraries are missing: no ${findLibraries(namesOf(newest), places).missing.join(', ')}`,
    `Run \`python3 -m venv .venv && .venv/bin/pip install ${wheels[newest]}\` where you start esta; a PyTorch for CUDA ${newest} has them too.`,
  );
}

/** The newest CUDA that the driver can run and that still writes code for the first card: 13 begins with 7.5. */
function newestCuda(library: LibraryHandle): CudaVersion {
  const version = [0];
  library.func('int cuDriverGetVersion(_Out_ int *version)')(version);
  if (version[0]! < 13_000) return 12;
  const driver = bindDriver(library);
  try {
    driver.init(0);
    const [major, minor] = computeCapabilityOf(driver, made(driver.deviceGet, 0));
    return major + minor / 10 < 7.5 ? 12 : 13;
  } catch {
    return 13; // there is no card, which opening it says
  }
}

/** The bare name where the loader knows the place. */
function pathOf(name: string, folders: readonly string[]): string {
  const folder = folders.find((each) => existsSync(path.join(each, name)));
  return folder === undefined ? name : path.join(folder, name);
}

/** NVRTC opens libnvrtc-builtins.so.<major>.<minor> by its name alone, and its folder is not searched. */
function builtinsBeside(compiler: string): string[] {
  if (!path.isAbsolute(compiler)) return [];
  const folder = path.dirname(compiler);
  const names = readdirSync(folder).filter((name) => /^libnvrtc-builtins\.so\.\d+\.\d+$/.test(name));
  return names.map((name) => path.join(folder, name));
}

function load(file: string): LibraryHandle {
  const known = loaded.get(file);
  if (known) return known;
  try {
    const library = koffi.load(file);
    koffi.load(null).func('void *dlopen(const char *file, int flags)')(file, forGood);
    loaded.set(file, library);
    return library;
  } catch (error) {
    throw new RequestError(`${file} cannot be loaded: ${messageOf(error)}`, 'Run `esta doctor`.');
  }
}
