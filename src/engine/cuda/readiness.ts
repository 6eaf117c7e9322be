/** What `--device cuda` needs, piece by piece, and for each piece that is missing the command that brings it. */
import { type CudaVersion, cudaBuilds } from './builds.js';
import { type Driver, describeDriver, isAtLeast } from './driver.js';
import { cudaBesideOwn, type InstalledCuda, installedCuda } from './installed.js';
import { cudaLibraries, driverLibrary, findLibraries, type LibraryPlaces, libraryPlaces } from './libraries.js';

export interface MissingPiece {
  /** What is missing, a clause. */
  readonly what: string;
  /** What brings it, a sentence. */
  readonly remedy: string;
}

export interface CudaReadiness {
  readonly driver?: Driver;
  readonly installed?: InstalledCuda;
  /** Folders of CUDA's libraries that go on LD_LIBRARY_PATH. */
  readonly folders: readonly string[];
  readonly missing: readonly MissingPiece[];
}

export interface CudaSurroundings {
  readonly driver: Driver | undefined;
  readonly installed: InstalledCuda | undefined;
  readonly places: LibraryPlaces;
}

export async function cudaReadiness(): Promise<CudaReadiness> {
  return assess({
    driver: await describeDriver(),
    installed: installedCuda() ?? cudaBesideOwn(),
    places: libraryPlaces(),
  });
}

export function assess({ driver, installed, places }: CudaSurroundings): CudaReadiness {
  const cuda = installed?.cuda ?? suggestedCuda(driver, places);
  const driverFound = findLibraries([driverLibrary], places);
  const libraries = findLibraries(cudaLibraries[cuda], places);
  const missing: MissingPiece[] = [];
  if (!driver && driverFound.missing.length > 0) {
    missing.push({
      what: 'no NVIDIA driver is loaded',
      remedy:
        'With an NVIDIA card, install its driver (Ubuntu: `ubuntu-drivers install`; in Docker, add `--gpus all`); without one there is nothing to do.',
    });
  } else if (driver && !isAtLeast(driver.version, cudaBuilds[cuda].driver)) {
    missing.push(driverTooOld(driver, cuda));
  } else if (driverFound.missing.length > 0) {
    missing.push({
      what: `the loader does not find ${driverLibrary}, a part of the driver`,
      remedy: 'In a container, start it with the NVIDIA Container Toolkit (Docker: `--gpus all`).',
    });
  }
  if (!installed) {
    missing.push({ what: 'the CUDA provider is not installed', remedy: 'Run `esta engine install --cuda`.' });
  }
  if (libraries.missing.length > 0) {
    missing.push({
      what: `no ${libraries.missing.join(', ')}`,
      remedy: `Run \`python3 -m venv .venv && .venv/bin/pip install ${wheelsFor(cuda, libraries.missing).join(' ')}\` where you start esta; a PyTorch for CUDA ${cuda} has them too.`,
    });
  }
  return {
    ...(driver && { driver }),
    ...(installed && { installed }),
    folders: [...new Set([...driverFound.folders, ...libraries.folders])],
    missing,
  };
}

function driverTooOld({ version }: Driver, cuda: CudaVersion): MissingPiece {
  const older = cuda === 13 && isAtLeast(version, cudaBuilds[12].driver);
  return {
    what: `the NVIDIA driver is ${version}; CUDA ${cuda} needs ${cudaBuilds[cuda].driver} or newer`,
    remedy: older ? 'Update it, or run `esta engine install --cuda --cuda-version 12`.' : 'Update it.',
  };
}

/** The CUDA whose libraries are here, else the newest that the driver can run. */
export function suggestedCuda(driver: Driver | undefined, places: LibraryPlaces): CudaVersion {
  for (const cuda of [13, 12] as const) {
    if (findLibraries(cudaLibraries[cuda], places).missing.length === 0) return cuda;
  }
  return driver && !isAtLeast(driver.version, cudaBuilds[13].driver) ? 12 : 13;
}

/** NVIDIA's wheels on PyPI; from CUDA 13 on, most names have no ending. */
function wheelsFor(cuda: CudaVersion, libraries: readonly string[]): string[] {
  const names = ['cudart', 'cublas', 'curand', 'cufft', 'cudnn'].filter((name) =>
    libraries.some((library) => library.startsWith(`lib${name}`)),
  );
  return names.map((name) => {
    if (name === 'cudnn') return `nvidia-cudnn-cu${cuda}`;
    const full = name === 'cudart' ? 'nvidia-cuda-runtime' : `nvidia-${name}`;
    return cuda === 12 ? `${full}-cu12` : full;
  });
}
