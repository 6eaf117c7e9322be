/** Files of instructions: both forms, what is tolerated, and lines in messages. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readInstructions } from '../../../src/data/instructions/instructions.js';
import { RequestError } from '../../../src/shared/errors.js';
import { testData, whereThereIs } from '../../test-data.js';
import { temporaryFolder } from '../official/temporary-folder.js';

async function fileWith(context: TestContext, name: string, content: string | Buffer): Promise<string> {
  const file = path.join(await temporaryFolder(context), name);
  await writeFile(file, content);
  return file;
}

const first = { instruction: 'Add.', input: '1 2', output: '3' };
const second = { instruction: 'Greet.', input: '', output: 'Hello "you" [\\' };

test('a list and lines give the same; an input may be missing, further keys and a byte order mark may be there', async (t) => {
  const { input: _, ...withoutInput } = second;
  const list = await fileWith(t, 'a.json', `\ufeff${JSON.stringify([{ ...first, id: 7 }, withoutInput])}`);
  assert.deepEqual(await readInstructions(list), [first, second]);
  const lines = await fileWith(t, 'a.jsonl', `${JSON.stringify(first)}\r\n\n${JSON.stringify(second)}\n`);
  assert.deepEqual(await readInstructions(lines), [first, second]);
});

test('lines may be in a file whose name is written in capitals', async (t) => {
  const file = await fileWith(t, 'A.JSONL', `${JSON.stringify(first)}\n${JSON.stringify(second)}`);
  assert.deepEqual(await readInstructions(file), [first, second]);
});

test('a list and lines are read whatever the file is called', async (t) => {
  const lines = await fileWith(t, 'a.json', `${JSON.stringify(first)}\n${JSON.stringify(second)}\n`);
  assert.deepEqual(await readInstructions(lines), [first, second]);
  assert.deepEqual(await readInstructions(await fileWith(t, 'b.json', JSON.stringify(first))), [first]);
  const list = await fileWith(t, 'a.jsonl', JSON.stringify([first, second], null, 1));
  assert.deepEqual(await readInstructions(list), [first, second]);
});

test('a text of ten megabytes is read', async (t) => {
  const long = { ...first, output: 'x"\\'.repeat(3_500_000) };
  assert.deepEqual(await readInstructions(await fileWith(t, 'a.json', JSON.stringify([long, second]))), [long, second]);
});

test('<noinput> and null are none; a space is one', async (t) => {
  const entries = ['<noinput>', null, ' '].map((input) => ({ ...first, input }));
  const file = await fileWith(t, 'a.json', JSON.stringify(entries));
  assert.deepEqual(
    (await readInstructions(file)).map(({ input }) => input),
    ['', '', ' '],
  );
});

const refused: Readonly<Record<string, readonly [name: string, content: string | Buffer, ...message: RegExp[]]>> = {
  'wrong fields in a list': [
    'a.json',
    `[\n  ${JSON.stringify(second)},\n  {"instruction": "a\\nb [",\n   "output": 3}, 5,\n  {"output": ""}\n]`,
    /line 3: output: expected text/,
    /line 4: 5: expected a mapping/,
    /line 5: instruction: is missing/,
  ],
  'wrong fields in lines': [
    'a.jsonl',
    `${JSON.stringify(first)}\n\n{"text": "x"}\n`,
    /line 3: instruction: is missing/,
  ],
  'a list on one line': [
    'a.json',
    JSON.stringify([first, { ...second, output: 3 }]),
    /^ {2}entry 2, line 1: output: expected text, received 3$/m,
  ],
  'keys that differ in case': [
    'a.json',
    JSON.stringify([
      { ...first, Notes: '', Input: 'x' },
      { instruction: 'a', OUTPUT: 'b' },
    ]),
    /Alpaca:\n {2}entry 1, line 1: Input: has to be called "input"\n {2}entry 2, line 1: OUTPUT: has to be called "output"$/,
  ],
  'another encoding': [
    'a.json',
    Buffer.from(JSON.stringify([{ ...first, output: 'caf\u00e9' }]), 'latin1'),
    /a\.json is not UTF-8$/,
  ],
  'more than five': ['a.jsonl', '{"input": "x"}\n'.repeat(4), /line 3: instruction/, /and 3 more/],
  'a broken line': ['a.jsonl', `${JSON.stringify(first)}\n{"instruction"\n`, /line 2 of .*a\.jsonl is not valid JSON/],
  'no list': ['a.json', JSON.stringify({ data: [first] }, null, 1), /holds no list of instructions/],
  'a list that was cut': ['a.json', JSON.stringify([first, second], null, 1).slice(0, -9), /a\.json is not valid JSON/],
  nothing: ['a.json', '[]', /holds no instructions/],
};

for (const [what, [name, content, ...messages]] of Object.entries(refused)) {
  test(`refused: ${what}`, async (t) => {
    const file = await fileWith(t, name, content);
    await assert.rejects(
      () => readInstructions(file),
      (error) => error instanceof RequestError && messages.every((message) => message.test(error.message)),
    );
  });
}

test('refused: a file that is not there', async () => {
  await assert.rejects(() => readInstructions('nowhere.json'), /nowhere\.json cannot be read \(ENOENT\)/);
});

test('real files: 999 of Alpaca, 1,100 of a book, and one of another form, which is refused', {
  ...whereThereIs('instructions'),
}, async () => {
  const alpaca = await readInstructions(testData('instructions/alpaca_en_demo.json'));
  assert.equal(alpaca.length, 999);
  assert.equal(alpaca[0]!.instruction, 'Describe a process of making crepes.');
  assert.equal((await readInstructions(testData('instructions/instruction-data.json'))).length, 1100);
  await assert.rejects(
    () => readInstructions(testData('instructions/user_oriented_instructions.jsonl')),
    /line 1: output: is missing/,
  );
});
