/**
 * CUDA's own libraries, which the provider is linked to, wherever a machine has them: known to the system, below CUDA's
 * folder, in a conda environment, or in the wheels that came with a PyTorch (site-packages/nvidia/.../lib).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { CudaVersion } from './builds.js';

/** What the provider loads; cuDNN and cuFFT not before it needs them. */
export const cudaLibraries: Readonly<Record<CudaVersion, readonly string[]>> = {
  12: ['libcudart.so.12', 'libcublas.so.12', 'libcublasLt.so.12', 'libcurand.so.10', 'libcufft.so.11', 'libcudnn.so.9'],
  13: ['libcudart.so.13', 'libcublas.so.13', 'libcublasLt.so.13', 'libcurand.so.10', 'libcufft.so.12', 'libcudnn.so.9'],
};

/** The library of the driver itself. */
export const driverLibrary = 'libcuda.so.1';

export interface FoundLibraries {
  /** Folders that the loader does not know, to be put on LD_LIBRARY_PATH. */
  readonly folders: readonly string[];
  readonly missing: readonly string[];
}

export interface LibraryPlaces {
  /** Names that the loader finds on its own. */
  readonly known: ReadonlySet<string>;
  /** Groups of folders, each of one installation, in the order of preference. */
  readonly installations: readonly (readonly string[])[];
}

/** One installation that has them all is preferred to pieces of several: their versions fit each other. */
export function findLibraries(names: readonly string[], { known, installations }: LibraryPlaces): FoundLibraries {
  const foldersFor = (wanted: readonly string[], folders: readonly string[]) =>
    wanted.map((name) => folders.find((folder) => existsSync(path.join(folder, name))));
  const open = names.filter((name) => !known.has(name));
  for (const folders of installations) {
    const whole = foldersFor(open, folders);
    if (whole.every((folder) => folder !== undefined)) return { folders: [...new Set(whole)], missing: [] };
  }
  const pieces = foldersFor(open, installations.flat());
  return {
    folders: [...new Set(pieces.filter((folder) => folder !== undefined))],
    missing: open.filter((_, index) => pieces[index] === undefined),
  };
}

export interface Surroundings {
  readonly environment?: NodeJS.ProcessEnv;
  readonly home?: string;
  readonly workingFolder?: string;
  /** What absolute folders lie below: tests have another. */
  readonly root?: string;
  /** What `ldconfig -p` prints. */
  readonly loaderCache?: () => string;
}

export function libraryPlaces({
  environment = process.env,
  home = homedir(),
  workingFolder = process.cwd(),
  root = '/',
  loaderCache = readLoaderCache,
}: Surroundings = {}): LibraryPlaces {
  const given = splitPath(environment['LD_LIBRARY_PATH']);
  const standard = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib64', 'lib64', 'usr/lib/wsl/lib'];
  const known = new Set([...loaderCache().matchAll(/^\s*(\S+\.so\S*) \(.*=> /gm)].map(([, name]) => name!));
  for (const folder of [...given, ...standard.slice(0, 4).map((name) => path.join(root, name))]) {
    for (const name of entriesOf(folder)) if (name.includes('.so')) known.add(name);
  }
  const toolkits = [
    ...[environment['CUDA_HOME'], environment['CUDA_PATH']].flatMap((folder) => folder || []),
    path.join(root, 'usr/local/cuda'),
    ...entriesOf(path.join(root, 'usr/local'))
      .filter((name) => /^cuda-\d/.test(name))
      .map((name) => path.join(root, 'usr/local', name)),
  ];
  const prefixes = [
    ...[environment['VIRTUAL_ENV'], environment['CONDA_PREFIX']].flatMap((folder) => folder || []),
    ...[path.join(workingFolder, '.venv'), path.join(workingFolder, 'venv')],
    ...splitPath(environment['PATH'])
      .filter((folder) => path.basename(folder) === 'bin' && existsSync(path.join(folder, 'python3')))
      .map((folder) => path.dirname(folder)),
    ...[path.join(home, '.local'), path.join(root, 'usr/local'), path.join(root, 'usr')],
    ...['miniconda3', 'anaconda3', 'miniforge3', 'mambaforge'].map((name) => path.join(home, name)),
    path.join(root, 'opt/conda'),
  ];
  const installations = [
    ...toolkits.map((folder) => [path.join(folder, 'lib64'), path.join(folder, 'targets/x86_64-linux/lib')]),
    ...[...new Set(prefixes)].flatMap(pythonInstallations),
    [path.join(root, 'usr/lib/wsl/lib')],
  ];
  return { known, installations };
}

/** The wheels of each Python below a prefix, and what conda has put into its lib folder. */
function pythonInstallations(prefix: string): string[][] {
  const packages = ['lib', 'lib64'].flatMap((lib) =>
    entriesOf(path.join(prefix, lib))
      .filter((name) => /^python3/.test(name))
      .flatMap((name) => ['site-packages', 'dist-packages'].map((kind) => path.join(prefix, lib, name, kind))),
  );
  const wheels = packages.map((folder) =>
    entriesOf(path.join(folder, 'nvidia')).map((name) => path.join(folder, 'nvidia', name, 'lib')),
  );
  return [...wheels.filter((folders) => folders.length > 0), [path.join(prefix, 'lib')]];
}

function splitPath(list: string | undefined): string[] {
  return (list ?? '').split(':').filter((folder) => folder !== '');
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // not there
  }
}

function readLoaderCache(): string {
  for (const command of ['/sbin/ldconfig', 'ldconfig']) {
    try {
      return execFileSync(command, ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      // not there, as on a Linux without glibc
    }
  }
  return '';
}
