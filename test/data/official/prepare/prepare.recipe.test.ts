/** From miniature archives to a data set that opens. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { writeDownload, writeUnpacked } from '../../../../data-scripts/miniature/download.js';
import { type Miniature, miniatures } from '../../../../data-scripts/miniature/miniatures.js';
import { openPrepared } from '../../../../src/data/official/open.js';
import { type Prepared, type PrepareRequest, prepareOfficial } from '../../../../src/data/official/prepare/prepare.js';
import { temporaryFolder } from '../temporary-folder.js';

interface Setting extends Miniature {
  readonly downloads: string;
  readonly root: string;
  prepare(request?: Partial<PrepareRequest>): Promise<Prepared>;
}

async function downloaded(context: TestContext, name: string): Promise<Setting> {
  const folder = await temporaryFolder(context);
  const [downloads, root] = [path.join(folder, 'downloads'), path.join(folder, 'data')];
  const miniature = await miniatures[name]!();
  await mkdir(downloads);
  await writeDownload(miniature.download, downloads);
  return {
    ...miniature,
    downloads,
    root,
    prepare: async (request) => (await prepareOfficial([miniature.spec], { from: [downloads], root, ...request }))[0]!,
  };
}

describe('every layout, from its archives', () => {
  for (const name of Object.keys(miniatures)) {
    test(name, async (t) => {
      const { spec, root, prepare } = await downloaded(t, name);
      const { images, classes, origin, splitsFile } = await prepare();
      assert.deepEqual(images, spec.counts);
      assert.equal(classes, spec.classes);
      const dataset = (await openPrepared(spec, root))!;
      assert.deepEqual(await openPrepared(spec, path.dirname(splitsFile)), dataset, 'opens by its own folder too');
      assert.equal(dataset.origin, origin);
      assert.equal(dataset.splits.test.length, 6);
      for (const { file } of dataset.splits.test) await stat(file);
    });
  }
});

describe('interruption and repetition', () => {
  test('repeating keeps what is done and writes the same', async (t) => {
    const { root, prepare } = await downloaded(t, 'cub-200-2011');
    const { splitsFile } = await prepare({ resize: 24 });
    const before = await readFile(splitsFile, 'utf8');
    const image = path.join(root, 'cub-200-2011/CUB_200_2011/CUB_200_2011/images.txt');
    await utimes(image, 1, 1);
    await prepare({ resize: 24 });
    assert.equal(await readFile(splitsFile, 'utf8'), before);
    assert.equal((await stat(image)).mtimeMs, 1000, 'not unpacked again');
  });

  test('half an archive and half an image of a killed run are replaced', async (t) => {
    const { root, prepare } = await downloaded(t, 'cifar-100');
    const folder = path.join(root, 'cifar-100');
    await mkdir(path.join(folder, 'cifar-100-python.partial/cifar-100-python'), { recursive: true });
    await mkdir(path.join(folder, 'png/images/train'), { recursive: true });
    await writeFile(path.join(folder, 'png/images/train/00000.png.tmp'), 'half');
    await prepare();
    assert.deepEqual((await readdir(folder)).sort(), [
      '.cifar-100-python.size',
      'cifar-100-python',
      'png',
      'splits.json',
    ]);
    const written = await readdir(path.join(folder, 'png/images/train'));
    assert.equal(written.filter((name) => name.endsWith('.png')).length, 15);
  });
});

describe('sources', () => {
  test('an unpacked folder is used in place', async (t) => {
    const { download, spec, root, downloads } = await downloaded(t, 'stanford-dogs');
    const unpacked = path.join(downloads, 'unpacked');
    await writeUnpacked(download, unpacked);
    await prepareOfficial([spec], { from: [unpacked], root });
    const dataset = (await openPrepared(spec, root))!;
    assert.ok(dataset.splits.train[0]!.file.startsWith(path.join(unpacked, 'Images')));
    assert.deepEqual(await readdir(path.join(root, 'stanford-dogs')), ['splits.json']);
  });

  test('without --from the folder in the data root is read', async (t) => {
    const { download, spec, root } = await downloaded(t, 'nabirds');
    await writeUnpacked(download, path.join(root, 'nabirds'));
    const [prepared] = await prepareOfficial([spec], { root });
    assert.deepEqual(prepared?.images, spec.counts);
  });

  test('a wrong folder, a missing path and a foreign file are refused', async (t) => {
    const { downloads, prepare } = await downloaded(t, 'cub-200-2011');
    const empty = await temporaryFolder(t);
    await assert.rejects(prepare({ from: [empty] }), /is not a CUB-200-2011 folder/);
    await assert.rejects(prepare({ from: [path.join(empty, 'nowhere')] }), /nowhere cannot be read/);
    await writeFile(path.join(empty, 'notes.txt'), '');
    const foreign = prepare({ from: [path.join(empty, 'notes.txt')] });
    await assert.rejects(foreign, { hint: 'Expected are CUB_200_2011.tgz.' });
    await assert.rejects(prepare({ from: [empty, downloads] }), /and other sources were named too/);
  });

  test('missing images are counted', async (t) => {
    const { spec, root, prepare } = await downloaded(t, 'cub-200-2011');
    await prepare();
    await rm(path.join(root, 'cub-200-2011/CUB_200_2011/CUB_200_2011/images/002.Laysan_Albatross'), {
      recursive: true,
    });
    await assert.rejects(prepareOfficial([spec], { root }), /7 of 21 images of cub-200-2011 are missing/);
  });
});

describe('damaged archives', () => {
  test('another MD5 is refused, and accepted unverified', async (t) => {
    const { spec, root, downloads } = await downloaded(t, 'cub-200-2011');
    const archives = [{ file: 'CUB_200_2011.tgz', md5: '97eceeb196236b17998738112f37df78' }];
    const request = { from: [downloads], root };
    const refused = prepareOfficial([{ ...spec, archives }], request);
    await assert.rejects(refused, /its MD5 is [0-9a-f]{32}, the official file has 97eceeb1/);
    await prepareOfficial([{ ...spec, archives }], { ...request, verify: false });
  });

  for (const name of ['cub-200-2011', 'stanford-dogs']) {
    test(`a truncated archive of ${name} leaves nothing behind`, async (t) => {
      const { root, downloads, prepare, download } = await downloaded(t, name);
      const archive = path.join(downloads, [...download.archives.keys()][0]!);
      await truncate(archive, Math.floor((await stat(archive)).size / 2));
      await assert.rejects(prepare(), /cannot be unpacked, it is damaged or truncated/);
      assert.deepEqual(await readdir(path.join(root, name)), []);
    });
  }
});

describe('training cache', () => {
  test('shorter edge, three channels, no enlargement; other formats become JPEG', async (t) => {
    const { download, spec, root, downloads } = await downloaded(t, 'stanford-dogs');
    const unpacked = path.join(downloads, 'unpacked');
    await writeUnpacked(download, unpacked);
    const odd = path.join(unpacked, 'Images/n02085620-Chihuahua');
    // Stanford Dogs has a PNG with alpha that is named .jpg; CUB has grayscale images; web images come as CMYK.
    const transparent = { r: 200, g: 0, b: 0, alpha: 0.5 };
    await sharp({ create: { width: 60, height: 40, channels: 4, background: transparent } })
      .png()
      .toFile(path.join(odd, 'n02085620_1.jpg'));
    const gray = sharp({ create: { width: 60, height: 40, channels: 3, background: '#888' } }).grayscale();
    await gray.jpeg().toFile(path.join(odd, 'n02085620_4.jpg'));
    await sharp({ create: { width: 60, height: 40, channels: 3, background: '#396' } })
      .toColourspace('cmyk')
      .jpeg()
      .toFile(path.join(odd, 'n02085620_7.jpg'));
    await sharp({ create: { width: 10, height: 12, channels: 3, background: '#396' } })
      .jpeg()
      .toFile(path.join(odd, 'n02085620_10.jpg'));
    await prepareOfficial([spec], { from: [unpacked], root, resize: 32 });
    const dataset = (await openPrepared(spec, root))!;
    assert.equal(dataset.resized, 32);
    const { train, val = [] } = dataset.splits;
    const sizeOf = async (number: number) => {
      const { file } = [...train, ...val].find((sample) => sample.file.endsWith(`n02085620_${number}.jpg`))!;
      assert.ok(file.startsWith(path.join(root, 'stanford-dogs/resized-32/')));
      const { width, height, channels, format } = await sharp(file).metadata();
      return [width, height, channels, format];
    };
    for (const number of [1, 4, 7]) assert.deepEqual(await sizeOf(number), [48, 32, 3, 'jpeg'], `image ${number}`);
    assert.deepEqual(await sizeOf(10), [10, 12, 3, 'jpeg']);
    assert.deepEqual(await sizeOf(13), [42, 32, 3, 'jpeg']);
  });

  test('PNG files of CIFAR-100 keep their name and get .jpg', async (t) => {
    const { spec, root, prepare } = await downloaded(t, 'cifar-100-binary');
    await prepare({ resize: 16 });
    const { splits } = (await openPrepared(spec, root))!;
    assert.equal(path.relative(root, splits.test[0]!.file), 'cifar-100/resized-16/images/test/00000.png.jpg');
  });
});
