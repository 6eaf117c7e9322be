/** Against a small imitation of the hub on this machine, and against folders as the Python library leaves them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fetchFromHub, parseHubAddress } from '../../../../src/models/pretrained/sources/hub.js';
import { cacheFolder } from '../../../../src/models/pretrained/sources/hub-cache.js';
import { fixture, requestError, temporaryFolder } from '../fixtures.js';

const commit = 'c'.repeat(40);
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const weights = readFileSync(fixture('vit-timm.safetensors'));

interface Hub {
  readonly url: string;
  /** Method and path of every request. */
  readonly requests: string[];
}

/** Serves the repository acme/vit with these files; `etagOf` gives the checksum the hub claims. */
async function imitation(t: TestContext, files: Record<string, Buffer>, etagOf = sha256): Promise<Hub> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://hub');
    requests.push(`${request.method} ${pathname}`);
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname.startsWith('/api/models/secret/')) return json(401, { error: 'Access denied' });
    if (pathname.startsWith('/api/models/broken/')) return json(503, { error: 'Overloaded' });
    if (pathname === '/api/models/acme/vit/revision/main') {
      return json(200, {
        _id: '1',
        id: 'acme/vit',
        sha: commit,
        siblings: Object.keys(files).map((name) => ({ rfilename: name })),
      });
    }
    if (pathname === `/api/models/acme/vit/paths-info/${commit}`) {
      const lfs = (content: Buffer) => ({ oid: etagOf(content), size: content.length, pointerSize: 130 });
      const info = ([name, content]: [string, Buffer]) => ({
        path: name,
        type: 'file',
        oid: 'git',
        size: content.length,
        lfs: lfs(content),
      });
      return json(200, Object.entries(files).map(info));
    }
    const content = files[pathname.replace(`/acme/vit/resolve/${commit}/`, '')];
    if (!content) return json(404, { error: 'Repository not found' });
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined)
      return response.writeHead(200, { 'content-length': content.length, etag: '"x"' }).end(content);
    const end = Math.min(to ? Number(to) + 1 : content.length, content.length);
    const range = { 'content-range': `bytes ${from}-${end - 1}/${content.length}`, etag: '"x"' };
    return response.writeHead(206, range).end(content.subarray(Number(from), end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const configuration = Buffer.from('{"mean": [0.485, 0.456, 0.406]}');

test('fetches weights once, into the layout of the Python library', async (t) => {
  const hub = await imitation(t, {
    'config.json': configuration,
    'model.safetensors': weights,
    'pytorch_model.bin': weights,
  });
  const cache = temporaryFolder(t);
  const environment = { HF_HUB_CACHE: cache, HF_ENDPOINT: hub.url };
  const file = await fetchFromHub('hf-hub:acme/vit', environment);
  const repository = path.join(cache, 'models--acme--vit');
  assert.equal(file, path.join(repository, 'snapshots', commit, 'model.safetensors'));
  assert.deepEqual(readFileSync(file), weights);
  assert.equal(realpathSync(file), path.join(realpathSync(repository), 'blobs', sha256(weights)));
  assert.equal(readFileSync(path.join(repository, 'refs', 'main'), 'utf8'), commit);
  // What says how images are prepared comes along, other formats of the weights do not.
  assert.deepEqual(readFileSync(path.join(path.dirname(file), 'config.json')), configuration);
  const blobs = readdirSync(path.join(repository, 'blobs'));
  assert.deepEqual(blobs.sort(), [sha256(weights), sha256(configuration)].sort());
  const count = hub.requests.length;
  assert.equal(await fetchFromHub('hf-hub:acme/vit', environment), file);
  assert.equal(await fetchFromHub(`hf-hub:acme/vit@${commit}`, environment), file);
  assert.equal(hub.requests.length, count, 'the second time nothing is asked');
});

test('fetches all shards of an index', async (t) => {
  const index = Buffer.from(JSON.stringify({ weight_map: { a: 's-1.safetensors', b: 's-2.safetensors' } }));
  const shards = { 's-1.safetensors': weights, 's-2.safetensors': Buffer.from('second') };
  const hub = await imitation(t, { 'model.safetensors.index.json': index, ...shards });
  const environment = { HF_HUB_CACHE: temporaryFolder(t), HF_ENDPOINT: hub.url };
  const file = await fetchFromHub('hf-hub:acme/vit', environment);
  for (const [name, content] of Object.entries(shards)) {
    assert.deepEqual(readFileSync(path.join(path.dirname(file), name)), content);
  }
});

test('a download with another checksum is thrown away', async (t) => {
  const hub = await imitation(t, { 'model.safetensors': weights }, () => 'f'.repeat(64));
  const cache = temporaryFolder(t);
  const environment = { HF_HUB_CACHE: cache, HF_ENDPOINT: hub.url };
  await assert.rejects(fetchFromHub('hf-hub:acme/vit', environment), requestError(/arrived damaged/, /again/));
  assert.deepEqual(readdirSync(path.join(cache, 'models--acme--vit', 'blobs')), []);
  assert.ok(!existsSync(path.join(cache, 'models--acme--vit', 'refs')));
});

test('reads what Python has fetched, offline', async (t) => {
  const cache = temporaryFolder(t);
  const repository = path.join(cache, 'models--acme--vit');
  for (const folder of ['refs', 'blobs', `snapshots/${commit}`])
    mkdirSync(path.join(repository, folder), { recursive: true });
  writeFileSync(path.join(repository, 'refs', 'main'), commit);
  const environment = { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' };
  const snapshot = path.join(repository, 'snapshots', commit);
  writeFileSync(path.join(snapshot, 'config.json'), '{}');
  await assert.rejects(
    fetchFromHub('hf-hub:acme/vit', environment),
    requestError(/is not in .*models--acme--vit, and HF_HUB_OFFLINE is set/, /hf download acme\/vit --revision main/),
  );
  writeFileSync(path.join(repository, 'blobs', 'x'), weights);
  symlinkSync('../../blobs/x', path.join(snapshot, 'model.safetensors'));
  assert.equal(await fetchFromHub('hf-hub:acme/vit', environment), path.join(snapshot, 'model.safetensors'));
});

test('says what the hub refuses and why', async (t) => {
  const hub = await imitation(t, { 'pytorch_model.bin': weights });
  const environment = { HF_HUB_CACHE: temporaryFolder(t), HF_ENDPOINT: hub.url };
  await assert.rejects(fetchFromHub('hf-hub:acme/vit', environment), requestError(/pytorch_model\.bin .*pickle/));
  await assert.rejects(fetchFromHub('hf-hub:secret/vit', environment), requestError(/status 401/, /HF_TOKEN/));
  await assert.rejects(fetchFromHub('hf-hub:nobody/vit', environment), requestError(/has no hf-hub:nobody\/vit/));
  await assert.rejects(fetchFromHub('hf-hub:broken/vit', environment), requestError(/answered 503/, /again/));
});

test('without network the way around is told', async (t) => {
  const environment = { HF_HUB_CACHE: temporaryFolder(t), HF_ENDPOINT: 'http://127.0.0.1:9' };
  await assert.rejects(
    fetchFromHub('hf-hub:acme/vit@v1', environment),
    requestError(
      /not in the cache and http:\/\/127\.0\.0\.1:9 cannot be reached/,
      /hf download acme\/vit --revision v1/,
      /as checkpoint/,
    ),
  );
});

test('addresses are checked', () => {
  const revision = { repository: 'timm/vit.augreg_in21k', revision: 'refs/pr/1' };
  assert.deepEqual(parseHubAddress('hf-hub:timm/vit.augreg_in21k@refs/pr/1'), revision);
  for (const wrong of [
    'hf-hub:vit',
    'hf-hub:a/b/c',
    'hf-hub:../x',
    'hf-hub:a/..',
    'hf-hub:a/b@../../x',
    'hf-hub:a/b@',
  ]) {
    assert.throws(() => parseHubAddress(wrong), requestError(/is not an address/, /hf-hub:OWNER\/NAME/));
  }
});

test('the cache lies where the Python library has it', () => {
  assert.equal(cacheFolder({ HF_HUB_CACHE: '/a', HF_HOME: '/b' }), '/a');
  assert.equal(cacheFolder({ HUGGINGFACE_HUB_CACHE: '/c', HF_HOME: '/b' }), '/c');
  assert.equal(cacheFolder({ HF_HUB_CACHE: '', HUGGINGFACE_HUB_CACHE: '/c', HF_HOME: '/b' }), '/c');
  assert.equal(cacheFolder({ HF_HOME: '', XDG_CACHE_HOME: '/d' }), path.join('/d', 'huggingface', 'hub'));
  assert.equal(cacheFolder({ HF_HOME: '/b', XDG_CACHE_HOME: '/d' }), path.join('/b', 'hub'));
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '/d' }), path.join('/d', 'huggingface', 'hub'));
  const own = path.join(homedir(), '.cache', 'huggingface', 'hub');
  assert.deepEqual([cacheFolder({}), cacheFolder({ XDG_CACHE_HOME: '' })], [own, own]);
});
