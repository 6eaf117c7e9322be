import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { embeddedFile } from '../../../../src/models/pretrained/sources/embedded.js';
import { openWeights } from '../../../../src/models/pretrained/sources/source.js';
import type { RequestError } from '../../../../src/shared/errors.js';
import { fixture, requestError, temporaryFolder } from '../fixtures.js';

const open = async (source: string) => {
  const weights = await openWeights(source, 'vit_mini_tiny');
  await weights.close();
  return weights.location;
};

test('opens files by their extension', async () => {
  for (const name of ['vit-timm.safetensors', 'vit-google.npz']) assert.equal(await open(fixture(name)), fixture(name));
});

test('chooses the weights of a folder', async (t) => {
  const folder = temporaryFolder(t);
  await assert.rejects(open(folder), requestError(/has no weight file/, /model\.safetensors/));
  writeFileSync(path.join(folder, 'pytorch_model.bin'), '');
  writeFileSync(path.join(folder, 'config.json'), '{}');
  const pickle = path.join(folder, 'pytorch_model');
  await assert.rejects(
    open(folder),
    requestError(
      /pytorch_model\.bin .*Python pickle/,
      new RegExp(`torch\\.load\\('${pickle}\\.bin'.*'${pickle}\\.safetensors'`),
    ),
  );
  writeFileSync(path.join(folder, '._a.npz'), 'what macOS leaves beside a file that it copies');
  copyFileSync(fixture('vit-google.npz'), path.join(folder, 'a.npz'));
  assert.equal(await open(folder), path.join(folder, 'a.npz'));
  copyFileSync(fixture('vit-timm.safetensors'), path.join(folder, 'b.safetensors'));
  await assert.rejects(open(folder), requestError(/several weight files: a\.npz, b\.safetensors/));
  copyFileSync(fixture('vit-timm.safetensors'), path.join(folder, 'model.safetensors'));
  assert.equal(await open(folder), path.join(folder, 'model.safetensors'));
});

test('refuses pickles with the command that converts them', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['a.bin', 'a.pth', 'a.pt', 'a.ckpt', 'a.pth.tar']) {
    const file = path.join(folder, name);
    await assert.rejects(open(file), requestError(/does not exist/));
    writeFileSync(file, '');
    await assert.rejects(
      open(file),
      requestError(/Python pickle/, /safe_globals.*argparse\.Namespace.*save_file\(.*\/a\.safetensors'\)/),
    );
  }
});

const python = '/usr/bin/python3';
const withoutPython = !existsSync(python) && `needs ${python}`;

test('the command takes out what training scripts write', { skip: withoutPython }, async (t) => {
  const folder = temporaryFolder(t);
  // Averaged weights come first. A stand-in of the calls that the command makes, which takes `args` for a Namespace.
  const standIn = [
    'import json',
    'class Tensor(str):',
    '    clone = contiguous = lambda self: self',
    'class serialization:',
    '    safe = []',
    '    add_safe_globals = safe.extend',
    'def load(file, **_):',
    '    content = json.load(open(file), object_hook=lambda d: {k: Tensor(v) if isinstance(v, str) else v for k, v in d.items()})',
    '    assert "args" not in content or [kind.__name__ for kind in serialization.safe] == ["Namespace"]',
    '    return content',
    'def is_tensor(value): return isinstance(value, Tensor)',
    'def save_file(tensors, file): json.dump(tensors, open(file, "w"))',
  ].join('\n');
  mkdirSync(path.join(folder, 'safetensors'));
  writeFileSync(path.join(folder, 'safetensors', '__init__.py'), '');
  for (const file of ['torch.py', path.join('safetensors', 'torch.py')])
    writeFileSync(path.join(folder, file), standIn);
  const contents: [content: object, tensors: object][] = [
    [{ a: '1' }, { a: '1' }],
    [{ model: { a: '1' }, epoch: 3 }, { a: '1' }],
    [{ state_dict: { a: '1', steps: 5 }, state_dict_ema: { a: '2' }, optimizer: {} }, { a: '2' }],
    [{ model: { a: '1' }, model_ema: null }, { a: '1' }],
    [{ model: { a: '1' }, args: { lr: 1 } }, { a: '1' }],
    [{ model_state_dict: { a: '1' }, loss: '2' }, { a: '1' }],
    [{ net: { a: '1' } }, { a: '1' }],
  ];
  const convert = async (content: object, name: string) => {
    const file = path.join(folder, `${name}.pth`);
    writeFileSync(file, JSON.stringify(content));
    const error = await open(file).catch((refusal: unknown) => refusal);
    const [, command] = /once: python (-c ".*")$/.exec((error as RequestError).hint!)!;
    const env = { ...process.env, PYTHONPATH: folder };
    execFileSync('sh', ['-c', `${python} ${command}`], { cwd: folder, env, stdio: 'pipe' });
    return JSON.parse(readFileSync(path.join(folder, `${name}.safetensors`), 'utf8')) as unknown;
  };
  for (const [content, tensors] of contents) assert.deepEqual(await convert(content, 'a'), tensors);
  const quotes = `it's "$HOME" \\ \`x\``;
  assert.deepEqual(await convert({ a: '1' }, quotes), { a: '1' });
  await assert.rejects(convert({ weights: { a: '1' } }, 'b'), /no tensors in it/);
  assert.equal(existsSync(path.join(folder, 'b.safetensors')), false);
});

test('refuses other formats and missing files', async (t) => {
  const other = path.join(temporaryFolder(t), 'a.onnx');
  await assert.rejects(open(other), requestError(/a\.onnx does not exist/, /hf-hub:OWNER\/NAME/));
  writeFileSync(other, '');
  await assert.rejects(open(other), requestError(/a\.onnx is not a weight file/, /hf-hub:OWNER\/NAME/));
  await assert.rejects(
    open(path.join(other, 'b.safetensors')),
    requestError(/cannot be read \(ENOTDIR\)/, /is a file/),
  );
  await assert.rejects(open('/nowhere/a.safetensors'), requestError(/\/nowhere\/a\.safetensors does not exist/));
});

test('finds embedded weights in the package', async (t) => {
  const root = temporaryFolder(t);
  const folder = path.join(root, 'src', 'models', 'embedded');
  await assert.rejects(
    embeddedFile('vit_mini_tiny', root),
    requestError(/no embedded weights for vit_mini_tiny/, /incomplete/),
  );
  mkdirSync(folder, { recursive: true });
  copyFileSync(fixture('vit-timm.safetensors'), path.join(folder, 'vit_mini_tiny.safetensors'));
  assert.equal(await embeddedFile('vit_mini_tiny', root), path.join(folder, 'vit_mini_tiny.safetensors'));
  assert.equal(await embeddedFile('vit_mini_tiny.tag', root), path.join(folder, 'vit_mini_tiny.safetensors'));
  await assert.rejects(embeddedFile('vit_base_patch16_224', root), requestError(/Embedded are vit_mini_tiny\./));
});
