/**
 * Installs the TensorFlow addon into the engines folder: the npm package without its scripts, then the binary, which is
 * downloaded by the package's own script or built against a TensorFlow that is already on the machine. Everything
 * happens in a folder beside the final one, which is replaced only when the new addon has computed something.
 */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';
import { probeEngine } from '../doctor/probe.js';
import { whileAlone } from '../engines-folder.js';
import { isRunnable, networkFailure, runExternal } from './external-command.js';
import { type LibTensorFlow, readLibTensorFlow } from './libtensorflow.js';
import { addonVersion, cpuPackage, gpuPackage, tensorflowFolder } from './location.js';

export interface InstallOptions {
  /** Installs tfjs-node-gpu instead of tfjs-node. */
  readonly gpu: boolean;
  /** A TensorFlow to build against (see readLibTensorFlow); without it the official binaries are downloaded. */
  readonly libtensorflow?: string;
  /** Default: the folder in which the engine looks. */
  readonly folder?: string;
}

export interface InstalledAddon {
  readonly folder: string;
  readonly packageName: string;
  /** TensorFlow's version. */
  readonly version: string;
  /** cpu or gpu: what TensorFlow really uses, whatever the package is called. */
  readonly uses: string;
}

/** N-API version of the addon's binary folder: the newest that tfjs-node 4.22 knows; every supported Node has it. */
const napiVersion = 8;

/** @param announce is told each step before it starts */
export async function installTensorFlow(
  { gpu, libtensorflow, folder = tensorflowFolder() }: InstallOptions,
  announce: (step: string) => void,
): Promise<InstalledAddon> {
  const packageName = gpu ? gpuPackage : cpuPackage;
  const library = libtensorflow === undefined ? undefined : readLibTensorFlow(libtensorflow);
  if (library) await requireBuildTools();
  return whileAlone(folder, () => install(packageName, library, folder, announce));
}

async function install(
  packageName: string,
  library: LibTensorFlow | undefined,
  folder: string,
  announce: (step: string) => void,
): Promise<InstalledAddon> {
  const isGpu = packageName === gpuPackage;
  const staging = `${folder}.partial`;
  try {
    announce(`Installing ${packageName} ${addonVersion} into ${folder} (npm, without install scripts)`);
    const packageFolder = await installPackage(packageName, staging);
    if (library) {
      announce(`Building the addon against ${library.libraryFolder} with node-gyp (less than a minute)`);
      await buildAddon(library, packageFolder, staging);
    } else {
      announce(`Downloading TensorFlow 2.9.1 from storage.googleapis.com (about ${isGpu ? 400 : 100} MB)`);
      await downloadAddon(isGpu, packageFolder, staging);
    }
    announce('Checking that it computes');
    const result = await probeEngine('tensorflow', 'cpu', { folder: staging });
    if (!result.works) throw new RequestError(`the addon was installed but does not work: ${result.reason}`, untouched);
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
    return { folder, packageName, version: result.version, uses: result.uses };
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => {}); // the next installation removes it
  }
}

const untouched =
  'What was installed before is untouched. --libtensorflow DIR builds against a TensorFlow of your own.';

async function requireBuildTools(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new RequestError(
      `--libtensorflow builds on Linux only, this is ${process.platform}`,
      'Leave it out: the official binaries are downloaded then.',
    );
  }
  const compiler = process.env['CXX'] ?? 'g++';
  for (const tool of ['make', 'python3', compiler]) {
    if (await isRunnable(tool)) continue;
    throw new RequestError(
      `building the addon needs ${tool}, which is not on the PATH`,
      'Debian, Ubuntu: `apt-get install build-essential python3`. Or leave out --libtensorflow to download a binary.',
    );
  }
}

/** Returns the folder of the package. */
async function installPackage(packageName: string, folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true }); // what a killed installation left
  await mkdir(folder, { recursive: true });
  const manifest = {
    name: 'esta-tensorflow-engine',
    private: true,
    // A script of its own, because npm puts its node-gyp on the PATH of scripts, and passes on its settings (nodedir, proxy).
    scripts: { 'build-addon': 'node-gyp rebuild' },
    dependencies: { [packageName]: addonVersion },
  };
  await writeFile(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--loglevel=error',
    '--fetch-retries=0',
  ];
  await runExternal({ command: 'npm', arguments: ['install', ...flags], folder }, (output) =>
    networkFailure(output)
      ? 'The npm registry was not reached: check the network, or `npm config get registry` and `npm config get proxy`.'
      : 'npm comes with Node.js; the lines above are its own.',
  );
  return path.join(folder, 'node_modules', ...packageName.split('/'));
}

async function buildAddon(library: LibTensorFlow, packageFolder: string, folder: string): Promise<void> {
  const linked = path.join(packageFolder, 'deps', 'lib');
  await mkdir(linked, { recursive: true });
  await symlink(library.include, path.join(packageFolder, 'deps', 'include'));
  // Only the names that the linker asks for. At run time the libraries are found where they really are, through the
  // run path below, because TensorFlow looks for CUDA's libraries beside itself.
  await symlink(path.join(library.libraryFolder, library.library), path.join(linked, 'libtensorflow.so'));
  await symlink(path.join(library.libraryFolder, library.framework), path.join(linked, 'libtensorflow_framework.so'));
  const options = [
    `--directory=${packageFolder}`,
    `--napi_build_version=${napiVersion}`,
    '--module_name=tfjs_binding',
    `--module_path=${path.join(packageFolder, 'lib', `napi-v${napiVersion}`)}`,
  ];
  await runExternal(
    {
      command: 'npm',
      arguments: ['run', 'build-addon', '--', ...options],
      folder,
      environment: { ...process.env, LDFLAGS: `-Wl,-rpath,${library.libraryFolder} ${process.env['LDFLAGS'] ?? ''}` },
    },
    explainBuild,
  );
  await rm(path.join(packageFolder, 'build'), { recursive: true, force: true });
}

function explainBuild(output: string): string {
  if (/nodejs\.org/.test(output) && networkFailure(output)) {
    return 'The headers of Node.js were not reached: `npm config set nodedir DIR`, where DIR/include/node holds them.';
  }
  if (/fatal error|undefined reference|cannot find -l/.test(output)) {
    return 'The compiler refused: TensorFlow 2.21 is known to work, its headers need g++ 9 or newer.';
  }
  return 'The lines above are those of npm and node-gyp.';
}

async function downloadAddon(gpu: boolean, packageFolder: string, folder: string): Promise<void> {
  // The script calls node-pre-gyp by name.
  const binaries = path.join(folder, 'node_modules', '.bin');
  await runExternal(
    {
      command: process.execPath,
      arguments: [path.join('scripts', 'install.js'), gpu ? 'gpu' : 'cpu', 'download'],
      folder: packageFolder,
      environment: { ...process.env, PATH: `${binaries}${path.delimiter}${process.env['PATH'] ?? ''}` },
    },
    (output) =>
      networkFailure(output)
        ? 'storage.googleapis.com was not reached. Offline: `pip install tensorflow` from your mirror and --libtensorflow DIR.'
        : 'The lines above are those of the download script; --libtensorflow DIR builds against a TensorFlow of your own.',
  );
}
