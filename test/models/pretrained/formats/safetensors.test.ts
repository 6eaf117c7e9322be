import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  openSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../../../../src/models/pretrained/formats/safetensors.js';
import { float32, type StateDict } from '../../../../src/shared/arrays.js';
import { Random } from '../../../../src/shared/random.js';
import { fixture, fixtureJson, requestError, temporaryFolder } from '../fixtures.js';

const types = fixtureJson<Record<string, { shape: number[]; data: number[] }>>('types.json');

/** A file of this header and so many data bytes. */
function handmade(t: TestContext, header: string | Buffer, dataBytes = 0, headerLength?: number): string {
  const json = Buffer.from(header as string);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(headerLength ?? json.length));
  const file = path.join(temporaryFolder(t), 'handmade.safetensors');
  writeFileSync(file, Buffer.concat([start, json, Buffer.alloc(dataBytes)]));
  return file;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

test('reads every type of numbers from a file of the reference writer; whole numbers are no weights', async () => {
  const file = await openSafetensors(fixture('types.safetensors'));
  assert.deepEqual(file.metadata, { format: 'pt', made: 'für Tests' });
  assert.deepEqual([...file.names].sort(), Object.keys(types).sort());
  for (const [name, { shape, data }] of Object.entries(types)) {
    const reading = file.read(name);
    if (name.includes('int'))
      await assert.rejects(reading, requestError(/has type [IU]\d+, which is not supported/), name);
    else assert.deepEqual(await reading, float32(shape, Float32Array.from(data)), name);
  }
  await file.close();
});

test('reads one tensor without the others', async () => {
  const file = await openSafetensors(fixture('types.safetensors'));
  try {
    assert.deepEqual((await file.read('float16')).data, Float32Array.from(types['float16']!.data));
    assert.deepEqual([...(await file.readBytes('uint8'))], [255, 0, 7]);
    await assert.rejects(file.read('nothing'), requestError(/has no tensor nothing/));
  } finally {
    await file.close();
  }
});

test('writes the bytes of the reference writer', async (t) => {
  const file = path.join(temporaryFolder(t), 'new', 'written.safetensors');
  const { tensors } = await readSafetensors(fixture('written.safetensors'));
  await writeSafetensors(file, tensors);
  const parse = (bytes: Buffer) => {
    const length = Number(bytes.readBigUInt64LE());
    return { header: JSON.parse(bytes.toString('utf8', 8, 8 + length)) as unknown, data: bytes.subarray(8 + length) };
  };
  assert.deepEqual(parse(readFileSync(file)), parse(readFileSync(fixture('written.safetensors'))));
  assert.deepEqual(readdirSync(path.dirname(file)), ['written.safetensors']);
});

test('an empty dictionary is a valid file', async (t) => {
  const file = path.join(temporaryFolder(t), 'empty.safetensors');
  await writeSafetensors(file, {}, { metadata: { step: '3' } });
  assert.deepEqual(await readSafetensors(file), { tensors: {}, metadata: { format: 'pt', step: '3' } });
});

test('float32 comes back exactly, 16 bits rounded, for many small and one large tensor', async (t) => {
  const random = Random.of(0, 'safetensors');
  const tensors: StateDict = {
    large: float32([5, 2 ** 20], random.truncatedNormal(5 * 2 ** 20, 1)),
    __proto__x: float32([]),
  };
  for (let index = 0; index < 500; index++) tensors[`small.${index}`] = float32([3], random.truncatedNormal(3, 1));
  const file = path.join(temporaryFolder(t), 'many.safetensors');
  await writeSafetensors(file, tensors);
  assert.deepEqual((await readSafetensors(file)).tensors, Object.fromEntries(Object.entries(tensors).sort()));
  for (const [dtype, tolerance] of [
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
  ] as const) {
    await writeSafetensors(file, { x: tensors['small.0']! }, { dtype });
    const opened = await openSafetensors(file);
    assert.equal(opened.entries.get('x')!.dtype, dtype);
    const { data } = await opened.read('x');
    await opened.close();
    for (const [index, value] of tensors['small.0']!.data.entries()) {
      assert.ok(Math.abs(data[index]! - value) <= tolerance * Math.abs(value));
    }
  }
});

test('tensors may begin at bytes that their type cannot be read from', async (t) => {
  const header = `{"odd":${entry(2, 10)},"half":${entry(0, 2, [1], 'F16')}}`;
  const file = handmade(t, header, 10);
  const bytes = readFileSync(file);
  bytes.writeFloatLE(1.5, bytes.length - 8);
  bytes.writeFloatLE(-2, bytes.length - 4);
  writeFileSync(file, bytes);
  assert.deepEqual([...(await readSafetensors(file)).tensors['odd']!.data], [1.5, -2]);
});

test('a scalar, an empty tensor, white space and a name like __proto__ are valid', async (t) => {
  const header = ` \t\r\n{"s":${entry(0, 4, [])},"e":${entry(4, 4, [3, 0])},"__proto__":${entry(4, 8)}}  \n`;
  const { tensors } = await readSafetensors(handmade(t, header, 8));
  assert.deepEqual(Object.keys(tensors).sort(), ['__proto__', 'e', 's']);
});

test('metadata may be long and hold JSON of its own', async (t) => {
  const text = JSON.stringify({ '"a"': '{'.repeat(2 ** 20), b: '"'.repeat(2 ** 20) });
  const header = JSON.stringify({ __metadata__: { text } });
  assert.equal((await readSafetensors(handmade(t, header))).metadata['text'], text);
});

const refused: [name: string, header: string | Buffer, dataBytes: number, reason: RegExp][] = [
  ['a hole at the start', `{"a":${entry(4, 8)}}`, 8, /tensor a .* hole/],
  ['a hole between', `{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12, /tensor b .* hole/],
  ['an overlap', `{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12, /tensor b .* overlaps/],
  ['trailing bytes', `{"a":${entry(0, 4)}}`, 5, /1 bytes follow/],
  ['missing bytes', `{"a":${entry(0, 4)}}`, 3, /truncated/],
  ['offsets in reverse', `{"a":${entry(4, 0, [0])}}`, 4, /end before they begin/],
  ['a shape of another size', `{"a":${entry(0, 8, [3])}}`, 8, /F32 \[3\] needs 12 bytes, its data_offsets give it 8/],
  ['a shape too large', `{"a":${entry(0, 8, [2 ** 40, 2 ** 40])}}`, 8, /too large/],
  ['half a byte', `{"a":${entry(0, 1, [1], 'F4')}}`, 1, /needs 0.5 bytes/],
  ['a negative extent', `{"a":${entry(0, 4, [-1])}}`, 4, /not a list of whole numbers/],
  ['a fraction', `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4.5]}}`, 4, /not two whole numbers/],
  ['three offsets', `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 4, /not two whole numbers/],
  ['an unknown type', `{"a":${entry(0, 4, [1], 'F31')}}`, 4, /dtype "F31" is not one of .*BF16/],
  ['an inherited type name', `{"a":${entry(0, 4, [1], 'toString')}}`, 4, /dtype "toString" is not/],
  ['a missing shape', `{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4, /shape undefined/],
  ['a name twice', `{"a":${entry(0, 4)},"\\u0061":${entry(0, 4)}}`, 4, /two tensors are named a/],
  ['metadata that is no text', `{"__metadata__":{"epoch":3}}`, 0, /__metadata__ must map strings to strings/],
  ['no JSON', '{"a":', 0, /not valid JSON/],
  ['an array', '[]', 0, /not a JSON object/],
  ['wrong UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 0, /not valid UTF-8/],
  ['a byte order mark', '\ufeff{}', 0, /not valid JSON/],
];

for (const [name, header, dataBytes, reason] of refused) {
  test(`refuses ${name}`, async (t) => {
    const file = handmade(t, header, dataBytes);
    await assert.rejects(
      readSafetensors(file),
      requestError(/handmade\.safetensors is not a valid/, reason, /copy it again/),
    );
  });
}

test('refuses lengths of the header that cannot be', async (t) => {
  await assert.rejects(
    readSafetensors(handmade(t, '{}', 0, 3)),
    requestError(/header ends at byte 11, the file has 10/),
  );
  await assert.rejects(readSafetensors(handmade(t, '{}', 0, 2 ** 40)), requestError(/would have 1099511627776 bytes/));
  const short = path.join(temporaryFolder(t), 'short.safetensors');
  writeFileSync(short, 'abc');
  await assert.rejects(readSafetensors(short), requestError(/it has 3 bytes/));
});

test('says what a file is that is no weight file', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'x.safetensors');
  await assert.rejects(readSafetensors(file), requestError(/x\.safetensors does not exist/));
  await assert.rejects(readSafetensors(folder), requestError(/is not a file/));
  for (const start of ['PK\x03\x04', '\x80\x02']) {
    writeFileSync(file, Buffer.from(`${start}and so on`, 'latin1'));
    await assert.rejects(
      readSafetensors(file),
      requestError(/file of PyTorch under another name/, /Rename it to \.pth/),
    );
  }
  writeFileSync(file, 'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n');
  await assert.rejects(readSafetensors(file), requestError(/Git LFS pointer/, /git lfs pull/));
  writeFileSync(file, '\n<!DOCTYPE html><html></html>');
  await assert.rejects(readSafetensors(file), requestError(/web page/));
});

test('refuses a type it cannot widen when that tensor is read', async (t) => {
  const file = handmade(t, `{"a":${entry(0, 1, [1], 'F8_E4M3')}}`, 1);
  await assert.rejects(readSafetensors(file), requestError(/tensor a has type F8_E4M3/, /BF16/));
});
