import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { openModel } from '../../../src/evaluation/generation/open-model.js';
import { float32 } from '../../../src/shared/arrays.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { tinyLlama, writeTinyLlama } from '../../models/llama/tiny-llama.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

test('8 bits are refused where there is no such kernel', async () => {
  await assert.rejects(
    openModel({ ...engine, device: 'webgpu' }, 'none', { storage: '8bit' }),
    /8 bits are not computed with on webgpu/,
  );
  const other = /^(?!.*8 bits)/;
  await assert.rejects(openModel({ ...engine, device: 'webgpu' }, 'none'), other);
  await assert.rejects(openModel(engine, 'none', { storage: '8bit' }), other);
});

for (const [vocabulary, fits] of [
  [420, true],
  [420 + 127, true],
  [420 + 128, false],
  [400, false],
  [1024, false],
] as const) {
  test(`a tokenizer of 420 tokens ${fits ? 'fits' : 'does not fit'} a network of ${vocabulary}`, async (t) => {
    const folder = await temporaryFolder(t);
    const tiny = tinyLlama();
    const tokens = float32([vocabulary, 16], new Float32Array(vocabulary * 16).fill(0.1));
    const stateDict = { ...tiny.stateDict, 'model.embed_tokens.weight': tokens, 'lm_head.weight': tokens };
    await writeTinyLlama(folder, { ...tiny, stateDict }, { json: { vocab_size: vocabulary } });
    const opening = openModel(engine, folder);
    if (fits) assert.equal((await opening).tokenizer.size, 420);
    else await assert.rejects(opening, new RegExp(`has 420 tokens, the network ${vocabulary}`));
  });
}
