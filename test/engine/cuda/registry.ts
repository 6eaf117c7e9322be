/** npm's and NuGet's registries on this machine, with packages that tests make. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import * as tar from 'tar';
import type { Registries } from '../../../src/engine/cuda/registries.js';

/** A provider's library as far as it is read: its version and the cuBLAS that it is linked to. */
export function providerLibrary(runtime: string, cuda: number): Buffer {
  return Buffer.from(`\x7fELF\0${runtime}\0libcublasLt.so.${cuda}\0libcublas.so.${cuda}\0`, 'latin1');
}

export interface Answer {
  readonly status?: number;
  readonly body: Buffer;
}

export interface FakeRegistry extends Registries {
  /** Paths that were asked for, with the range where there was one. */
  readonly asked: string[];
  /** What is answered, by path. */
  readonly answers: Map<string, Answer>;
  readonly server: Server;
  addNpm(name: string, version: string, archive: Buffer): string;
  addNuget(name: string, version: string, archive: Buffer): string;
}

export async function fakeRegistry(): Promise<FakeRegistry> {
  const asked: string[] = [];
  const answers = new Map<string, Answer>();
  const server = createServer((request, response) => {
    const { range } = request.headers;
    asked.push(`${request.url}${range === undefined ? '' : ` ${range}`}`);
    const answer = answers.get(request.url!);
    if (!answer) return void response.writeHead(404).end();
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = answer.body.subarray(from);
    const status = answer.status ?? (from === 0 ? 200 : rest.length > 0 ? 206 : 416);
    response.writeHead(status, { 'content-length': rest.length }).end(rest);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const json = (value: unknown): Answer => ({ body: Buffer.from(JSON.stringify(value)) });
  const hashOf = (archive: Buffer) => createHash('sha512').update(archive).digest('base64');
  answers.set(
    '/nuget/index.json',
    json({ resources: [{ '@id': `${base}/nuget/r/`, '@type': 'RegistrationsBaseUrl/3.6.0' }] }),
  );
  return {
    ...{ npm: `${base}/npm/`, nuget: `${base}/nuget/index.json`, asked, answers, server },
    addNpm(name, version, archive) {
      const file = `/files/${name}-${version}.tgz`;
      const integrity = `sha512-${hashOf(archive)}`;
      answers.set(`/npm/${name}/${version}`, json({ dist: { tarball: `${base}${file}`, integrity } }));
      answers.set(file, { body: archive });
      return file;
    },
    addNuget(name, version, archive) {
      const file = `/files/${name}.${version}.nupkg`;
      const [leaf, entry] = [`/nuget/r/${name.toLowerCase()}/${version}.json`, `/nuget/catalog/${name}.json`];
      answers.set(leaf, json({ packageContent: `${base}${file}`, catalogEntry: `${base}${entry}` }));
      answers.set(entry, json({ packageHash: hashOf(archive), packageHashAlgorithm: 'SHA512' }));
      answers.set(file, { body: archive });
      return file;
    },
  };
}

/** An archive as npm has them: all below package/. @param scratch a folder that may be written */
export async function npmPackage(scratch: string, files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const root = path.join(scratch, 'npm-package');
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, 'package', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  const archive = path.join(root, 'archive.tgz');
  const names = Object.keys(files).map((name) => `package/${name}`);
  await tar.create({ gzip: true, cwd: root, file: archive }, names);
  const bytes = await readFile(archive);
  await rm(root, { recursive: true });
  return bytes;
}

/** An archive as NuGet has them, which is a ZIP file, written by the library that onnxruntime-node reads them with. */
export function nugetPackage(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const required = createRequire(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const AdmZip = required('adm-zip') as new () => { addFile(name: string, content: Buffer): void; toBuffer(): Buffer };
  const zip = new AdmZip();
  for (const [name, content] of Object.entries(files)) zip.addFile(name, Buffer.from(content));
  return zip.toBuffer();
}
