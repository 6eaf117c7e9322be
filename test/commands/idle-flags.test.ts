/** Flags that would change nothing are refused before anything is read: whoever types one believes that it did something. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Config } from '@oclif/core';
import { projectRoot } from '../command-line.js';

const idle: readonly (readonly [args: string, flags: string, reason: RegExp])[] = [
  ['predict --checkpoint embedded --architecture vit_mini_tiny --stitch 3 a.png', '--stitch', /of --run/],
  [
    'predict --checkpoint embedded --architecture vit_mini_tiny --budget 5ms --machine a a.png',
    '--budget, --machine',
    /of --run/,
  ],
  ['export none --out a.safetensors --batch 4', '--batch', /ONNX Runtime/],
  ['export none --out a --format peft --operators standard --precision int8', '--operators', /ONNX Runtime/],
  ['export none --out a --format peft --precision int8', '--precision', /as they were trained/],
  ['recommend none --budget 30MFLOPs --machine a', '--machine', /milliseconds or bytes/],
  ['predict --run none --stitch 3 --machine a a.png', '--machine', /milliseconds or bytes/],
  ['export none --budget 1Mparams --machine a --out a.onnx', '--machine', /milliseconds or bytes/],
  ['finetune none --machine a', '--machine', /milliseconds or bytes/],
  ['generate text --checkpoint none --top-k 5 --seed 1', '--top-k, --seed', /nothing is drawn/],
  ['generate text --checkpoint none --beams 2 --seed 1', '--seed', /draws nothing/],
  ['generate text --run none --weights 8bit', '--weights', /text\.weights/],
  ['measure none --form a.csv --rounds 3 --machine a', '--rounds, --machine', /elsewhere/],
  ['measure none --import a.csv --threads 3 --again', '--threads, --again', /elsewhere/],
  ['run experiments/quickstart.yaml --wait', '--wait', /of --only/],
  ['ablate eta --wait', '--wait', /of --only/],
  ['ablate eta --experiment experiments/mini/study.yaml --seeds 2 --dry-run', '--seeds', /names its seeds, 0, 1, 2/],
  ['bench step --model vit_mini_tiny --sn-net', '--sn-net', /two vision transformers/],
  ['bench step --model vit_mini_tiny --tokens 8', '--tokens', /language models/],
];

for (const [args, flags, reason] of idle) {
  test(`esta ${args}`, async () => {
    const config = await Config.load(projectRoot);
    const words = args.split(' ');
    const command = words[0] === 'bench' ? words.splice(0, 2).join(':') : words.shift()!;
    await assert.rejects(config.runCommand(command, words), (error: Error) => {
      assert.equal(error.name, 'RequestError');
      assert.ok(error.message.startsWith(`${flags}: without effect here; `), error.message);
      assert.match(error.message, reason);
      return true;
    });
  });
}

test('flags that are left out, or have effect, are not refused', async () => {
  const config = await Config.load(projectRoot);
  const runs = async (args: string, expected: RegExp) => {
    const [command, ...words] = args.split(' ');
    await assert.rejects(config.runCommand(command!, words), { message: expected });
  };
  await runs('generate text --checkpoint none --temperature 0.8 --top-k 5 --seed 1', /none/);
  await runs('recommend none --budget 5ms --machine a', /none does not exist|no run/);
  await runs('finetune none --budget 4MB --machine a', /none does not exist|no run/);
  await runs('measure none --import a.csv --machine a', /none does not exist|no run/);
  await runs('export none --out a.onnx --batch 4 --operators standard --precision int8', /none does not exist|no run/);
});

test('an empty --out, as of a shell variable that is not set, is not the working folder', async () => {
  const config = await Config.load(projectRoot);
  for (const command of ['run none', 'ablate eta', 'deploy none --machine a', 'demo none', 'finetune none', 'report']) {
    const [name, ...words] = command.split(' ');
    await assert.rejects(config.runCommand(name!, [...words, '--out', '']), /--out: the name is empty/, command);
  }
});
