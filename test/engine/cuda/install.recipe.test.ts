import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CudaBuild, type CudaVersion, providerFiles } from '../../../src/engine/cuda/builds.js';
import { installCuda } from '../../../src/engine/cuda/install.js';
import { installedCuda, librariesIn, runtimeIn, uninstallCuda } from '../../../src/engine/cuda/installed.js';
import { type FakeRegistry, fakeRegistry, npmPackage, nugetPackage, providerLibrary } from './registry.js';

const [cudaLibrary, sharedLibrary] = providerFiles;
const own = createRequire(import.meta.url)('onnxruntime-node/package.json').version as string;

/** For CUDA 12 the version of the program's own runtime, for CUDA 13 another one, as it is now. */
const builds: Readonly<Record<CudaVersion, CudaBuild>> = {
  12: { cuda: 12, runtime: own, registry: 'NuGet', packageName: 'Gpu.Linux', packageVersion: own, driver: '525' },
  13: { cuda: 13, runtime: '9.8.7', registry: 'npm', packageName: 'com.gpu', packageVersion: '0.4', driver: '580' },
};

interface Stage {
  readonly folder: string;
  readonly scratch: string;
  readonly registry: FakeRegistry;
  /** Path of the provider's archive, by CUDA's version. */
  readonly archives: Readonly<Record<CudaVersion, string>>;
  install(cuda: CudaVersion, from?: string): ReturnType<typeof installCuda>;
}

async function stage(t: TestContext): Promise<Stage> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'esta-cuda-'));
  const registry = await fakeRegistry();
  t.after(async () => {
    registry.server.close();
    await rm(scratch, { recursive: true });
  });
  const libraries = 'bin/napi-v6/linux/x64/libonnxruntime.so.1';
  const runtime = { 'package.json': '{"version": "9.8.7"}', 'dist/index.js': '', 'bin/napi-v6/darwin/arm64/x': '' };
  registry.addNpm('onnxruntime-node', '9.8.7', await npmPackage(scratch, { ...runtime, [libraries]: 'runtime' }));
  registry.addNpm('onnxruntime-common', '9.8.7', await npmPackage(scratch, { 'package.json': '{}' }));
  const provider13 = await npmPackage(scratch, {
    'package.json': '{}',
    [`Plugins/Linux/x64/${cudaLibrary}`]: providerLibrary('9.8.7', 13),
    [`Plugins/Linux/x64/${sharedLibrary}`]: 'shared',
    'Plugins/Linux/x64/libonnxruntime_providers_tensorrt.so': 'not wanted',
  });
  const provider12 = nugetPackage({
    [`runtimes/linux-x64/native/${cudaLibrary}`]: providerLibrary(own, 12),
    [`runtimes/linux-x64/native/${sharedLibrary}`]: 'shared',
  });
  const archives = {
    12: registry.addNuget('Gpu.Linux', own, provider12),
    13: registry.addNpm('com.gpu', '0.4', provider13),
  };
  const folder = path.join(scratch, 'engines/onnxruntime-cuda');
  const options = { folder, builds, registries: registry, platform: 'linux x64' };
  return {
    folder,
    scratch,
    registry,
    archives,
    install: (cuda, from) => installCuda({ ...options, cuda, from }, () => {}),
  };
}

test('CUDA 13: the provider of npm, in the onnxruntime-node of its version', async (t) => {
  const { folder, install, registry } = await stage(t);
  const { isNew, runtime, cuda, source } = await install(13);
  assert.deepEqual([isNew, runtime, cuda, source], [true, '9.8.7', 13, 'com.gpu 0.4 (npm)']);
  const names = [...providerFiles, 'libonnxruntime.so.1'];
  assert.deepEqual(
    names.filter((name) => !existsSync(path.join(librariesIn(folder), name))),
    [],
  );
  assert.ok(existsSync(path.join(folder, 'node_modules/onnxruntime-common/package.json')));
  assert.equal(existsSync(path.join(runtimeIn(folder), 'bin/napi-v6/darwin')), false, 'of other machines');
  assert.equal(existsSync(`${folder}.download`) || existsSync(`${folder}.partial`), false);

  const asked = registry.asked.length;
  assert.equal((await install(13)).isNew, false);
  assert.equal(registry.asked.length, asked, 'what is there is not asked for again');
  await writeFile(path.join(librariesIn(folder), sharedLibrary), 'damaged');
  assert.equal((await install(13)).isNew, true);

  assert.equal(await uninstallCuda(folder), true);
  assert.deepEqual([existsSync(folder), await uninstallCuda(folder)], [false, false]);
});

test('CUDA 12: the provider of NuGet, beside a copy of the runtime that is here', async (t) => {
  const { folder, install, registry } = await stage(t);
  const { runtime, source } = await install(12);
  assert.deepEqual([runtime, source], [own, `Gpu.Linux ${own} (NuGet)`]);
  assert.ok(!registry.asked.some((url) => url.includes('onnxruntime-node')), 'not downloaded');
  const loaded = createRequire(path.join(folder, 'package.json'))('onnxruntime-node');
  assert.equal(typeof loaded.InferenceSession.create, 'function');
  assert.deepEqual(installedCuda(folder)?.cuda, 12);
  assert.equal((await install(13)).cuda, 13, 'the other one takes its place');
});

test('an archive that is not what was published is refused, and what was installed stays', async (t) => {
  const { folder, install, registry, archives } = await stage(t);
  await install(12);
  registry.answers.set(archives[13], { body: Buffer.from('something else') });
  await assert.rejects(install(13), {
    name: 'RequestError',
    message: /com\.gpu 0\.4 is not what was published: its hash/,
  });
  assert.equal(installedCuda(folder)?.cuda, 12);
  assert.equal(existsSync(`${folder}.partial`), false);
});

test('a hash that the program knows counts more than what the registry says', async (t) => {
  const { folder, registry, archives, scratch } = await stage(t);
  const known = { ...builds, 13: { ...builds[13], integrity: `sha512-${'A'.repeat(86)}==` } };
  const options = { cuda: 13, folder, builds: known, registries: registry, platform: 'linux x64' } as const;
  await assert.rejects(
    installCuda(options, () => {}),
    /not what was published/,
  );
  const brought = path.join(scratch, 'com.gpu-0.4.tgz');
  await writeFile(brought, registry.answers.get(archives[13])!.body);
  await assert.rejects(
    installCuda({ ...options, from: scratch }, () => {}),
    /0\.4\.tgz is not what npm published/,
  );
});

test('a download that was stopped goes on', async (t) => {
  const { folder, install, registry, archives } = await stage(t);
  const { body } = registry.answers.get(archives[13])!;
  await mkdir(`${folder}.download`, { recursive: true });
  const partial = path.join(`${folder}.download`, 'com.gpu-0.4.tgz.partial');
  await writeFile(partial, body);
  await truncate(partial, 100);
  assert.equal((await install(13)).isNew, true);
  assert.ok(registry.asked.includes(`${archives[13]} bytes=100-`), registry.asked.join('\n'));
});

test('what the registry lacks, and a registry that is not there, are said with what to do', async (t) => {
  const { install, registry, archives, folder } = await stage(t);
  registry.answers.delete(archives[13]);
  await assert.rejects(install(13), { message: /com\.gpu 0\.4: http\S+ answers 404/, hint: /--from FOLDER/ });
  registry.answers.set('/nuget/index.json', { body: Buffer.from('{}') });
  await assert.rejects(install(12), /is no NuGet registry/);
  const nowhere = { npm: 'http://127.0.0.1:1/', nuget: 'http://127.0.0.1:1/' };
  const options = { cuda: 13, folder, builds, registries: nowhere, platform: 'linux x64' } as const;
  await assert.rejects(
    installCuda(options, () => {}),
    { message: /127\.0\.0\.1:1 is not reached/, hint: /--from FOLDER/ },
  );
  await assert.rejects(
    installCuda({ ...options, platform: 'darwin arm64' }, () => {}),
    {
      message: /published for linux x64, this is darwin arm64/,
      hint: /webgpu/,
    },
  );
});

test('files that were brought by hand: archives, or the libraries themselves', async (t) => {
  const { folder, install, registry, archives, scratch } = await stage(t);
  const brought = path.join(scratch, 'brought');
  await assert.rejects(install(13, brought), /brought is no folder that can be read \(ENOENT\)/);
  await mkdir(brought);
  const named = {
    [archives[13]]: 'com.gpu-0.4.tgz',
    '/files/onnxruntime-node-9.8.7.tgz': 'onnxruntime-node-9.8.7.tgz',
  };
  for (const [url, name] of Object.entries(named)) {
    await writeFile(path.join(brought, name), registry.answers.get(url)!.body);
  }
  const common = '/files/onnxruntime-common-9.8.7.tgz';
  await writeFile(path.join(brought, path.basename(common)), registry.answers.get(common)!.body);
  registry.asked.length = 0;
  assert.equal((await install(13, brought)).source, 'com.gpu 0.4 (npm)');
  assert.deepEqual(registry.asked, [], 'no network is needed');

  await writeFile(path.join(brought, cudaLibrary), providerLibrary(own, 12));
  await assert.rejects(
    install(12, brought),
    /holds libonnxruntime_providers_cuda\.so, but no libonnxruntime_providers_shared\.so/,
  );
  await writeFile(path.join(brought, sharedLibrary), 'shared');
  assert.equal((await install(12, brought)).source, brought);
  await assert.rejects(install(13, brought), /is for CUDA 12, CUDA 13 was asked for/);
  await writeFile(path.join(brought, cudaLibrary), providerLibrary('1.2.3', 12));
  await assert.rejects(install(12, brought), new RegExp(`no CUDA provider of ONNX Runtime ${own} or 9\\.8\\.7`));
  assert.equal(
    (await readFile(path.join(folder, 'provider.json'), 'utf8')).includes(own),
    true,
    'the last good one stays',
  );
});
