/** Readers of the official layouts, on miniatures of the unpacked downloads, and the pitfalls of each data set. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { writeUnpacked } from '../../../../data-scripts/miniature/download.js';
import { matlabFile } from '../../../../data-scripts/miniature/matlab-writer.js';
import { type Miniature, miniatures } from '../../../../data-scripts/miniature/miniatures.js';
import type { OfficialLabels } from '../../../../src/data/official/layouts/layout.js';
import { vtabSpecs } from '../../../../src/data/official/layouts/vtab.js';
import { temporaryFolder } from '../temporary-folder.js';

/** Unpacks a miniature after `change` and reads its labels; files come back relative to the folder. */
async function read(
  context: TestContext,
  name: string,
  change: (miniature: Miniature, folder: string) => unknown = () => {},
): Promise<OfficialLabels> {
  const folder = await temporaryFolder(context);
  const miniature = await miniatures[name]!();
  await change(miniature, folder);
  await writeUnpacked(miniature.download, folder);
  return readIn(miniature, folder);
}

async function readIn(miniature: Miniature, folder: string): Promise<OfficialLabels> {
  const labels = await miniature.spec.layout.readLabels(folder);
  const relative = (samples: OfficialLabels['train']) =>
    samples.map(({ file, label }) => ({ file: path.relative(folder, file), label }));
  const { train, val, test } = labels;
  return { ...labels, train: relative(train), ...(val && { val: relative(val) }), test: relative(test) };
}

function treeOf({ download }: Miniature, archive: string) {
  return download.archives.get(archive)!;
}

describe('CUB-200-2011', () => {
  test('labels are ids minus one, files as listed', async (t) => {
    const { classes, train, test: testImages } = await read(t, 'cub-200-2011');
    assert.deepEqual(classes, ['001.Black_footed_Albatross', '002.Laysan_Albatross', '003.Sooty_Albatross']);
    assert.equal(train.length, 15);
    assert.equal(testImages.length, 6);
    const file = 'CUB_200_2011/images/001.Black_footed_Albatross/Black_Footed_Albatross_001.jpg';
    assert.deepEqual(train[0], { file, label: 0 });
  });

  test('a label that classes.txt lacks is out of range', async (t) => {
    const reading = read(t, 'cub-200-2011', (miniature) => {
      const tree = treeOf(miniature, 'CUB_200_2011.tgz');
      const labels = String(tree.get('CUB_200_2011/image_class_labels.txt'));
      tree.set('CUB_200_2011/image_class_labels.txt', labels.replace('4 1\n', '4 201\n'));
    });
    await assert.rejects(reading, /image_class_labels\.txt: class 201 is out of range/);
  });

  test('a missing split file and an image without a split are named', async (t) => {
    const without = read(t, 'cub-200-2011', (miniature) =>
      treeOf(miniature, 'CUB_200_2011.tgz').delete('CUB_200_2011/train_test_split.txt'),
    );
    await assert.rejects(without, /not a CUB-200-2011 folder: .*train_test_split\.txt/);
    const short = read(t, 'cub-200-2011', (miniature) =>
      treeOf(miniature, 'CUB_200_2011.tgz').set('CUB_200_2011/train_test_split.txt', '1 1\n'),
    );
    await assert.rejects(short, /train_test_split\.txt has no line for image 2, expected 0 or 1/);
  });

  test('a wrong folder says what it holds', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(path.join(folder, 'holiday'));
    const { spec } = await miniatures['cub-200-2011']!();
    await assert.rejects(spec.layout.readLabels(folder), { hint: /It holds holiday\./ });
  });
});

describe('NABirds', () => {
  test('ids with gaps become ranks in numeric order; names keep commas and parentheses', async (t) => {
    const { classes, classIds, train } = await read(t, 'nabirds');
    assert.deepEqual(classIds, [295, 627, 1005], 'as strings, 1005 would be first');
    assert.deepEqual(classes, ['Common Eider (Adult male)', 'Gull, Herring', 'Finch']);
    const file = 'nabirds/images/1005/0000139e21dc4d0cbfe14cae3c85c803.jpg';
    assert.deepEqual(train[2], { file, label: 2 });
  });

  test('labels are ranks of ids in whatever order the files list the images', async (t) => {
    const { classIds, train } = await read(t, 'nabirds', (miniature) => {
      const tree = treeOf(miniature, 'nabirds.tar.gz');
      const labels = String(tree.get('nabirds/image_class_labels.txt')).trimEnd().split('\n');
      tree.set('nabirds/image_class_labels.txt', `${labels.reverse().join('\n')}\n`);
    });
    assert.deepEqual(classIds, [295, 627, 1005]);
    assert.deepEqual(
      train.slice(0, 3).map(({ file, label }) => [file.split('/')[2], label]),
      [
        ['0295', 0],
        ['0627', 1],
        ['1005', 2],
      ],
    );
  });
});

describe('Oxford Flowers-102', () => {
  test('the larger part, tstid, is the test set; labels are 0-based', async (t) => {
    const { train, val, test: testImages } = await read(t, 'oxford-flowers-102');
    assert.deepEqual([train.length, val?.length, testImages.length], [12, 3, 6]);
    assert.deepEqual(testImages[0], { file: 'jpg/image_00016.jpg', label: 0 });
    assert.deepEqual(val?.[2], { file: 'jpg/image_00003.jpg', label: 2 });
  });

  test('labels and image numbers out of range are refused', async (t) => {
    const labels = Array.from({ length: 21 }, (_, index) => (index === 5 ? 0 : 1));
    const zero = read(t, 'oxford-flowers-102', ({ download }) =>
      download.loose.set('imagelabels.mat', matlabFile({ labels: { numbers: labels } })),
    );
    await assert.rejects(zero, /label of image 6: 0 is out of range, allowed are 1 to 3/);
    const short = read(t, 'oxford-flowers-102', ({ download }) =>
      download.loose.set('imagelabels.mat', matlabFile({ labels: { numbers: [1, 2, 3] } })),
    );
    await assert.rejects(short, /trnid, image number: 4 is out of range, allowed are 1 to 3/);
  });

  test('missing label files and names of CoOp', async (t) => {
    const without = read(t, 'oxford-flowers-102', ({ download }) => download.loose.delete('setid.mat'));
    await assert.rejects(without, /imagelabels\.mat, setid\.mat not found/);
    const named = await read(t, 'oxford-flowers-102', ({ download }) =>
      download.loose.set('cat_to_name.json', '{"2": "hard-leaved pocket orchid"}'),
    );
    assert.deepEqual(named.classes, ['flower 1', 'hard-leaved pocket orchid', 'flower 3']);
  });
});

describe('Stanford Dogs', () => {
  test('cell arrays of paths below Images/', async (t) => {
    const { classes, train, test: testImages } = await read(t, 'stanford-dogs');
    assert.deepEqual(classes, ['Chihuahua', 'Japanese_spaniel', 'Maltese_dog']);
    assert.deepEqual(train[1], { file: 'Images/n02085782-Japanese_spaniel/n02085782_2.jpg', label: 1 });
    assert.equal(testImages.length, 6);
  });

  test('images/ in lower case is another folder', async (t) => {
    const folder = await temporaryFolder(t);
    const miniature = await miniatures['stanford-dogs']!();
    await writeUnpacked(miniature.download, folder);
    await rename(path.join(folder, 'Images'), path.join(folder, 'other'));
    await rename(path.join(folder, 'other'), path.join(folder, 'images'));
    await assert.rejects(readIn(miniature, folder), /not a Stanford Dogs folder: Images not found/);
  });

  test('a label for two breeds, or beyond 120, is refused', async (t) => {
    const list = (labels: number[]) =>
      matlabFile({
        file_list: { cell: [{ text: 'n1-a/1.jpg' }, { text: 'n2-b/2.jpg' }] },
        labels: { numbers: labels },
      });
    const change = (labels: number[]) => (miniature: Miniature) =>
      treeOf(miniature, 'lists.tar').set('train_list.mat', list(labels));
    await assert.rejects(read(t, 'stanford-dogs', change([1, 1])), /label 1 is used for n1-a and n2-b/);
    await assert.rejects(read(t, 'stanford-dogs', change([1, 121])), /121 is out of range/);
    await assert.rejects(read(t, 'stanford-dogs', change([1])), /lists 2 files but 1 labels/);
  });
});

describe('Stanford Cars', () => {
  const names = ['AM General Hummer SUV 2000', 'Ram C/V Cargo Van Minivan 2012', 'smart fortwo Convertible 2012'];

  test('split folders; a class name with a slash is only a name', async (t) => {
    const { classes, train, test: testImages } = await read(t, 'stanford-cars');
    assert.deepEqual(classes, names);
    assert.deepEqual(train[1], { file: 'cars_train/00002.jpg', label: 1 });
    assert.deepEqual(testImages[0], { file: 'cars_test/00001.jpg', label: 0 });
  });

  test('doubled folders of mirrors', async (t) => {
    const folder = await temporaryFolder(t);
    const miniature = await miniatures['stanford-cars']!();
    await writeUnpacked(miniature.download, folder);
    await rename(path.join(folder, 'cars_train'), path.join(folder, 'inner'));
    await mkdir(path.join(folder, 'cars_train'));
    await rename(path.join(folder, 'inner'), path.join(folder, 'cars_train/cars_train'));
    const { train } = await readIn(miniature, folder);
    assert.equal(train[0]?.file, 'cars_train/cars_train/00001.jpg');
    const pathOf = await miniature.spec.layout.vptPaths!(folder);
    const real = path.join(folder, 'cars_train/cars_train/00007.jpg');
    assert.equal(pathOf('cars_train/00007.jpg'), real);
    assert.equal(pathOf('cars_train/cars_train/00007.jpg'), real);
    assert.equal(pathOf('cars_test/cars_test/00001.jpg'), path.join(folder, 'cars_test/00001.jpg'));
    assert.throws(() => pathOf('car_ims/000001.jpg'), /has cars_train\/, cars_test\//);
  });

  test('one folder, split by the logical field test', async (t) => {
    const { classes, train, test: testImages } = await read(t, 'stanford-cars-one-folder');
    assert.deepEqual(classes, names);
    assert.deepEqual(train[0], { file: 'car_ims/000001.jpg', label: 0 });
    assert.deepEqual(testImages[0], { file: 'car_ims/000016.jpg', label: 0 });
    assert.deepEqual([train.length, testImages.length], [15, 6], 'no test image is trained on');
  });

  test('test annotations without labels are refused by their fields, renamed labelled ones accepted', async (t) => {
    const unlabelled = read(t, 'stanford-cars', ({ download }) => download.loose.clear());
    await assert.rejects(unlabelled, (error: Error & { hint: string }) => {
      assert.match(error.message, /cars_test_annos\.mat has no labels: its 'annotations' have no field 'class'/);
      assert.match(error.hint, /cars_test_annos_withlabels\.mat, a separate download/);
      return true;
    });
    const renamed = await read(t, 'stanford-cars', (miniature) => {
      const { loose } = miniature.download;
      const labelled = loose.get('cars_test_annos_withlabels.mat')!;
      loose.clear();
      treeOf(miniature, 'car_devkit.tgz').set('devkit/cars_test_annos.mat', labelled);
    });
    assert.equal(renamed.test.length, 6);
  });

  test('cars_annos.mat is refused for cars_train/ images, whose numbers differ', async (t) => {
    const folder = await temporaryFolder(t);
    const [split, one] = [await miniatures['stanford-cars']!(), await miniatures['stanford-cars-one-folder']!()];
    await writeUnpacked(split.download, folder);
    await rm(path.join(folder, 'devkit'), { recursive: true });
    await writeUnpacked({ archives: new Map(), loose: one.download.loose }, folder);
    await assert.rejects(readIn(split, folder), /has cars_annos\.mat but not the images car_ims/);
  });
});

describe('VTAB-1k', () => {
  test('19 tasks; VTAB cifar is not CIFAR-100', () => {
    assert.equal(vtabSpecs.length, 19);
    assert.equal(new Set(vtabSpecs.map(({ name }) => name)).size, 19);
    assert.ok(vtabSpecs.some(({ name, aliases }) => name === 'vtab-cifar' && aliases.includes('vtab-cifar100')));
  });

  test('lists: train800 trains, val200 selects; classes come from the table', async (t) => {
    const {
      classes,
      train,
      val,
      test: testImages,
    } = await read(t, 'vtab-dtd', (miniature) => {
      const tree = treeOf(miniature, 'vtab-1k.tar.gz');
      const list = String(tree.get('vtab-1k/dtd/test.txt'));
      tree.set('vtab-1k/dtd/test.txt', list.replaceAll(' 2\n', ' 1\n'));
    });
    assert.equal(classes.length, 3, 'although a list misses a class');
    assert.deepEqual([train.length, val?.length, testImages.length], [12, 3, 6]);
    assert.deepEqual(val?.[1], { file: 'vtab-1k/dtd/images/val200/000001.jpg', label: 1 });
  });

  test('a label out of range, a missing list and a short union are refused', async (t) => {
    const change = (file: string, content?: string) => (miniature: Miniature) => {
      const tree = treeOf(miniature, 'vtab-1k.tar.gz');
      if (content === undefined) tree.delete(file);
      else tree.set(file, content);
    };
    const label = read(t, 'vtab-dtd', change('vtab-1k/dtd/val200.txt', 'images/val200/000000.jpg 47\n'));
    await assert.rejects(label, /val200\.txt, record 1: 47 is out of range, allowed are 0 to 2/);
    const missing = read(t, 'vtab-dtd', change('vtab-1k/dtd/test.txt'));
    await assert.rejects(missing, /not a VTAB-1k task folder: .*test\.txt not found/);
    const union = read(t, 'vtab-dtd', change('vtab-1k/dtd/train800val200.txt', 'images/a.jpg 0\n'));
    await assert.rejects(union, /train800val200\.txt has 1 images, train800\.txt and val200\.txt together 15/);
  });
});
