import assert from 'node:assert/strict';
import { test } from 'node:test';
import { esta } from '../command-line.js';

interface Listed {
  id: number;
  path: { anchor: string; blocks: [number, number] }[];
  flops: number;
  params: number;
  trainable: number;
}

async function listed(...args: string[]): Promise<Listed[]> {
  const { status, stdout, stderr } = await esta(['stitches', ...args, '--json']);
  assert.deepEqual([status, stderr], [0, '']);
  return JSON.parse(stdout);
}

test('the space of fgvc.yaml holds every FLOPs value of Table I, Stanford Cars', async () => {
  const stitches = await listed('experiments/fgvc.yaml', '--classes', '196');
  assert.equal(stitches.length, 71);
  // Table I, row Stanford Cars, rounded to 10 MFLOPs. SN-Net's stitched path, and so the table, leaves out the final
  // norm, 5 FLOPs for each element of 197 tokens of width 768.
  const published = [2.48, 3.31, 4.41, 5.85, 6.93, 8.39, 9.47, 10.54, 11.62, 13.77, 14.16, 15.54, 16.61, 17.39, 17.67];
  for (const flops of published) {
    assert.ok(
      stitches.some(({ flops: ours, path }) => {
        const counted = path.length > 1 ? ours - 5 * 197 * 768 : ours;
        return Math.abs(counted / 1e9 - flops) <= 0.005;
      }),
      `${flops} G`,
    );
  }
  assert.deepEqual(
    stitches.slice(0, 4).map(({ id, path }) => ({ id, path })),
    [
      { id: 0, path: [{ anchor: 'Ti', blocks: [0, 12] }] },
      { id: 1, path: [{ anchor: 'S', blocks: [0, 12] }] },
      { id: 2, path: [{ anchor: 'B', blocks: [0, 12] }] },
      {
        id: 3,
        path: [
          { anchor: 'Ti', blocks: [0, 1] },
          { anchor: 'S', blocks: [0, 12] },
        ],
      },
    ],
  );
});

test('the space of convnext-fgvc.yaml: 63 stitches, between the published FLOPs of ConvNeXt-T and B', async () => {
  const stitches = await listed('experiments/convnext-fgvc.yaml', '--classes', '1000');
  assert.equal(stitches.length, 63);
  // T with 1000 classes has 4,470,399,744 FLOPs and 28,589,128 parameters; rank 8 on fc1 and fc2 adds 10 P D r a block, on a
  // downsampling from D to 2 D, of patches of 4 D, 6 P D r.
  const blocks = [
    [3, 96, 56],
    [3, 192, 28],
    [9, 384, 14],
    [3, 768, 7],
  ] as const;
  const inBlocks = blocks.reduce((sum, [depth, width, side]) => sum + depth * 10 * side ** 2 * width * 8, 0);
  const between = blocks.slice(1).reduce((sum, [, width, side]) => sum + 6 * side ** 2 * (width / 2) * 8, 0);
  const updates = inBlocks + between;
  assert.equal(stitches[0]!.flops, 4_470_399_744 + updates);
  assert.equal(stitches[0]!.params, 28_589_128);
  assert.deepEqual(stitches[3]!.path, [
    { anchor: 'T', blocks: [0, 1] },
    { anchor: 'S', blocks: [1, 36] },
  ]);
});

test('parameters of ViT-Ti, by hand', async () => {
  const [tiny] = await listed('experiments/fgvc.yaml', '--classes', '10');
  const [width, depth, tokens] = [192, 12, 197];
  const block = 12 * width ** 2 + 13 * width; // qkv, projection, MLP, two norms, with bias
  const embedding = 768 * width + width + (1 + tokens) * width;
  assert.equal(tiny?.params, embedding + depth * block + 2 * width + (width + 1) * 10);
  // Low-rank updates of rank 32 on q, k, v; one bias each; the head.
  assert.equal(tiny?.trainable, depth * 3 * (2 * width * 32 + width) + (width + 1) * 10);
});

test('the number of classes is that of the data set', async () => {
  const [cub] = await listed('experiments/fgvc.yaml'); // CUB-200-2011: 200 classes
  const [same] = await listed('experiments/fgvc.yaml', '--classes', '200');
  assert.deepEqual(cub, same);
});

test('people read a table', async () => {
  const { status, stdout } = await esta(['stitches', 'experiments/quickstart.yaml']);
  assert.equal(status, 0);
  assert.match(stdout, /^quickstart: 36 stitches, 36 classes \(species\)\n/);
  assert.match(stdout, /\n +2 +Ti\[0-1\) -> S\[0-12\) /);
});

test('anchors that do not fit and unknown architectures: exit status 2', async () => {
  const cases: [string, RegExp][] = [
    [
      'anchors.Ti.architecture=vit_mini_tinny',
      /architecture "vit_mini_tinny" is not known; did you mean vit_mini_tiny\?/,
    ],
    [
      'preprocessing.crop=60',
      /preprocessing\.crop: expected a multiple of the patch size of vit_mini_tiny \(8\), received 60/,
    ],
    ['anchors.Ti.architecture=vit_mini_base', /anchors: expected widths that rise from small to large/],
  ];
  for (const [set, expected] of cases) {
    const { status, stderr } = await esta(['stitches', 'experiments/quickstart.yaml', '--set', set]);
    assert.match(stderr, expected);
    assert.equal(status, 2);
  }
  const families = ['--set', 'anchors.S.architecture=convnext_mini_small'];
  assert.match(
    (await esta(['stitches', 'experiments/quickstart.yaml', ...families])).stderr,
    /one family, received Ti \(vit_mini_tiny\), S \(convnext_mini_small\)/,
  );
  const mixed = ['--set', 'anchors.S.architecture=vit_small_patch16_224', '--set', 'preprocessing.crop=64'];
  const { stderr } = await esta(['stitches', 'experiments/quickstart.yaml', ...mixed]);
  assert.match(
    stderr,
    /the same number of tokens in all, received Ti \(vit_mini_tiny\): 65, S \(vit_small_patch16_224\): 17/,
  );
});
