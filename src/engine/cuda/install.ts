/**
 * Installs an ONNX Runtime that has its CUDA provider: onnxruntime-node, and the two libraries of the provider beside its
 * own. It lies apart from the program's node_modules, which `npm ci` empties and which a user may not be allowed to write.
 * All is made in a folder beside the final one, which is replaced at the end.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';
import { exists } from '../../shared/files.js';
import { type Progress, silentProgress } from '../../shared/progress.js';
import { whileAlone } from '../engines-folder.js';
import { archiveBroughtIn, librariesBroughtIn } from './brought.js';
import { type CudaBuild, type CudaVersion, cudaBuilds, providerFiles, requirePlatform } from './builds.js';
import { download, integrityOf } from './download.js';
import {
  cudaFolder,
  downloadsOf,
  type InstalledCuda,
  installedCuda,
  librariesIn,
  runtimeIn,
  stagingOf,
} from './installed.js';
import { readProvider } from './provider-file.js';
import { npmArchive, nugetArchive, type Registries, registriesHere } from './registries.js';
import { placeRuntime } from './runtime-package.js';
import { unpackFiles } from './unpack.js';

export interface CudaInstallOptions {
  readonly cuda: CudaVersion;
  /** Folder with files that were brought by hand: archives as the registries have them, or the libraries themselves. */
  readonly from?: string | undefined;
  /** Default: where the engine looks. */
  readonly folder?: string;
  readonly builds?: Readonly<Record<CudaVersion, CudaBuild>>;
  /** Default: those of this user. */
  readonly registries?: Registries;
  /** Default: this machine's. */
  readonly platform?: string;
  readonly progress?: Progress;
}

export interface CudaInstallation extends InstalledCuda {
  readonly folder: string;
  /** False where it was there already. */
  readonly isNew: boolean;
}

/** @param announce is told each step before it starts @throws RequestError */
export async function installCuda(
  options: CudaInstallOptions,
  announce: (step: string) => void,
): Promise<CudaInstallation> {
  requirePlatform(options.platform);
  const { cuda, folder = cudaFolder(), builds = cudaBuilds } = options;
  const there = await intactInstallation(folder);
  if (there && options.from === undefined && there.cuda === cuda && there.runtime === builds[cuda].runtime) {
    return { ...there, folder, isNew: false };
  }
  const needs = 'about 1 GB is needed, half of it for as long as the installation takes';
  return whileAlone(folder, () => install({ ...options, folder, builds }, announce), needs);
}

async function install(
  {
    cuda,
    from,
    folder,
    builds,
    ...options
  }: CudaInstallOptions & Required<Pick<CudaInstallOptions, 'folder' | 'builds'>>,
  announce: (step: string) => void,
): Promise<CudaInstallation> {
  const build = builds[cuda];
  const [downloads, staging] = [downloadsOf(folder), stagingOf(folder)];
  try {
    await rm(staging, { recursive: true, force: true });
    await mkdir(downloads, { recursive: true });
    const fetched = async (registry: CudaBuild['registry'], name: string, version: string, integrity?: string) => {
      const brought = from === undefined ? undefined : await archiveBroughtIn(from, name, version);
      if (brought) {
        if (integrity && (await integrityOf(brought, integrity)) !== integrity) {
          throw new RequestError(
            `${brought} is not what ${registry} published: its hash is another`,
            'Download it again.',
          );
        }
        return brought;
      }
      const registries = options.registries ?? (await registriesHere());
      const archiveOf = registry === 'npm' ? npmArchive : nugetArchive;
      const archive = await archiveOf(registries, name, version);
      announce(`Downloading ${archive.what} from ${new URL(archive.url).host}`);
      const file = path.join(downloads, `${name}-${version}.${registry === 'npm' ? 'tgz' : 'nupkg'}`);
      const published = integrity ? { ...archive, integrity } : archive;
      await download(published, file, options.progress ?? silentProgress);
      return file;
    };

    const libraries = path.join(staging, 'libraries');
    const brought = from === undefined ? undefined : await librariesBroughtIn(from, libraries);
    if (!brought) {
      const { registry, packageName, packageVersion, integrity } = build;
      const archive = await fetched(registry, packageName, packageVersion, integrity);
      announce(`Unpacking ${path.basename(archive)}`);
      await unpackLibraries(archive, libraries);
    }
    const runtimes = [...new Set(Object.values(builds).map(({ runtime }) => runtime))];
    const provider = await readProvider(path.join(libraries, providerFiles[0]), runtimes);
    if (provider.cuda !== cuda) {
      throw new RequestError(
        `the provider is for CUDA ${provider.cuda}, CUDA ${cuda} was asked for`,
        `Run esta engine install --cuda --cuda-version ${provider.cuda}${from ? ` --from ${from}` : ''}.`,
      );
    }
    await placeRuntime(provider.runtime, path.dirname(runtimeIn(staging)), (name) =>
      fetched('npm', name, provider.runtime),
    );
    const files: Record<string, string> = {};
    for (const name of providerFiles) {
      const target = path.join(librariesIn(staging), name);
      await rename(path.join(libraries, name), target);
      files[name] = await integrityOf(target, 'sha256-');
    }
    await rm(libraries, { recursive: true });
    const source = brought ? path.resolve(from!) : `${build.packageName} ${build.packageVersion} (${build.registry})`;
    const installed: InstalledCuda = { ...provider, source, files };
    await writeFile(path.join(staging, 'provider.json'), `${JSON.stringify(installed, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
    await rm(downloads, { recursive: true });
    return { ...installed, folder, isNew: true };
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => {}); // the next installation removes it
  }
}

/** Undefined where a library is missing or is not the one that was installed. */
async function intactInstallation(folder: string): Promise<InstalledCuda | undefined> {
  const installed = installedCuda(folder);
  for (const [name, integrity] of Object.entries(installed?.files ?? {})) {
    const file = path.join(librariesIn(folder), name);
    if (!(await exists(file)) || (await integrityOf(file, integrity)) !== integrity) return undefined;
  }
  return installed;
}

async function unpackLibraries(archive: string, libraries: string): Promise<void> {
  const unpacked = `${libraries}-unpacked`;
  const names = new Map<string, string>();
  await unpackFiles(archive, unpacked, (name) => {
    const library = providerFiles.find((file) => name.endsWith(`/${file}`));
    if (library) names.set(library, name);
    return library !== undefined;
  });
  await mkdir(libraries, { recursive: true });
  for (const library of providerFiles) {
    const name = names.get(library);
    if (!name) throw new RequestError(`${archive} holds no ${library}`, 'It is not the package of the CUDA provider.');
    await rename(path.join(unpacked, name), path.join(libraries, library));
  }
  await rm(unpacked, { recursive: true });
}
