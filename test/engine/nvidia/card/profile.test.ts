/** Where time goes, on the stand-in, whose clock has half a millisecond between any two marks. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { type Profiled, profiled } from '../../../../src/engine/nvidia/card/profile.js';
import { noTestCard, onRealCard, openTestCard } from '../stand-in/stand-in.js';

const skip = noTestCard;
let profile: Profiled;
before(async () => {
  if (!skip) profile = profiled(await openTestCard());
});
after(() => profile?.card.dispose());

test('kernels, products and copies are counted, those of recordings each time', {
  skip: onRealCard || skip,
}, async () => {
  const { card } = profile;
  const [twice] = card.compile('extern "C" __global__ void twice(float* a) { *a *= 2; }', ['twice']);
  const at = card.allocate(8);
  card.upload(at, Float32Array.of(3, 0));
  const matrix = { address: at, type: 'float32', pitch: 1 } as const;
  const product = { m: 1, n: 1, k: 1, alpha: 1, count: 1, a: { ...matrix, transposed: true }, b: matrix, c: matrix };
  card.launch(twice!, 1, 1, [at]);
  const graph = card.record(() => {
    card.launch(twice!, 1, 1, [at]);
    card.copy(at + 4, at, 4);
    card.multiply(product, 'tf32');
  });
  graph.launch();
  graph.launch();
  const values = new Float32Array(2);
  await card.download(at, values);
  assert.deepEqual([...values], [(12 * 12 * 2) ** 2, 12 * 12 * 2]);
  assert.deepEqual(await profile.usage(), [
    { what: 'twice', count: 3, milliseconds: 1.5 },
    { what: 'copy', count: 2, milliseconds: 1 },
    { what: "tf32 1x1x1, a' float32, b float32, c float32", count: 2, milliseconds: 1, teraflops: 4 / 1e9 },
  ]);
  assert.deepEqual(await profile.usage(), []);
});
