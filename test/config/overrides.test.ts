import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyOverrides } from '../../src/config/overrides.js';

const file = () => ({
  training: { epochs: 100 },
  data: { kind: 'image-folder', root: './a' },
  anchors: [{ name: 'Ti' }, { name: 'S' }],
});

/** The value after the overrides; fails when they have a problem. */
function changed(value: unknown, ...texts: string[]): unknown {
  const result = applyOverrides(value, texts);
  assert.deepEqual(result.problems, []);
  return result.value;
}

test('values are read as YAML and replace in order', () => {
  assert.deepEqual(changed({}, 'a=5', 'b=[1e-3, 2]', 'c=true', 'd=text: no', 'a=6', 'e=1e-4', 'f=', "g='7'"), {
    a: 6,
    b: [0.001, 2],
    c: true,
    d: { text: 'no' },
    e: 0.0001,
    f: null,
    g: '7',
  });
});

test('sections are made where the file has none, and the file is not touched', () => {
  const original = file();
  assert.deepEqual(changed(original, 'distillation.enabled=false', 'training.epochs=5'), {
    ...file(),
    training: { epochs: 5 },
    distillation: { enabled: false },
  });
  assert.deepEqual(original, file());
});

test('list entries go by name or index; the only one needs neither', () => {
  assert.deepEqual(changed(file(), 'anchors.S.checkpoint=x', 'anchors.0.checkpoint=y'), {
    ...file(),
    anchors: [
      { name: 'Ti', checkpoint: 'y' },
      { name: 'S', checkpoint: 'x' },
    ],
  });
  assert.deepEqual(changed({ data: [{ kind: 'nabirds' }] }, 'data.root=r'), { data: [{ kind: 'nabirds', root: 'r' }] });
  assert.deepEqual(changed({ data: [{ kind: 'nabirds' }, { kind: 'vtab-1k', task: 'dtd' }] }, 'data.vtab-dtd.root=r'), {
    data: [{ kind: 'nabirds' }, { kind: 'vtab-1k', task: 'dtd', root: 'r' }],
  });
});

test('an asterisk names all entries of a list', () => {
  const data = [{ kind: 'cifar-100' }, { kind: 'stanford-cars', root: 'a' }];
  const { value, overrides, problems } = applyOverrides({ data }, ['data.*.root=b']);
  assert.deepEqual(problems, []);
  assert.deepEqual(value, { data: data.map(({ kind }) => ({ kind, root: 'b' })) });
  assert.deepEqual(
    overrides.map(({ path }) => path),
    [0, 1].map((index) => ['data', index, 'root']),
  );
  assert.deepEqual(changed({ data: { kind: 'cifar-100' } }, 'data.*.root=b'), {
    data: { kind: 'cifar-100', root: 'b' },
  });
  assert.deepEqual(changed([{ list: [1, 2] }], 'list.*=3'), [{ list: [3, 3] }]);
  assert.match(applyOverrides({ a: 5 }, ['a.*.b=1']).problems[0]!.message, /there is no list at a/);
});

test('an entry that is not there is a problem', () => {
  const { problems } = applyOverrides({ data: [{ kind: 'nabirds' }, { kind: 'cifar-100' }] }, ['data.root=r']);
  assert.deepEqual(problems, [
    { path: ['data', 'root'], message: 'the list has no entry "root" (entries: nabirds, cifar-100)' },
  ]);
  assert.deepEqual(applyOverrides(file(), ['training.epochs.x=1']), {
    value: file(),
    overrides: [{ text: 'training.epochs.x=1', path: ['training', 'epochs', 'x'], value: 1 }],
    problems: [{ path: ['training', 'epochs', 'x'], message: 'there is nothing below training.epochs, which is 100' }],
  });
  assert.match(applyOverrides({ a: null }, ['a.*.b=1']).problems[0]!.message, /^there is no list at a$/);
});

/** What is told of a list that has no entry by that name. */
function unknownEntry(list: readonly unknown[], key: string): string {
  return applyOverrides({ list }, [`list.${key}.x=1`]).problems[0]!.message;
}

test('an index is a number from 0 that the list has; names are those of the entries that have one', () => {
  const eleven = Array.from({ length: 11 }, () => ({}));
  assert.deepEqual(changed({ list: eleven }, 'list.10.x=1'), { list: eleven.with(10, { x: 1 }) });
  for (const key of ['2', '5', '-1', '0x1']) {
    assert.equal(unknownEntry([{}, {}], key), `the list has no entry "${key}" (entries: 0 to 1)`);
  }
  assert.equal(unknownEntry([1, null, 'text'], 'S'), 'the list has no entry "S" (entries: 0 to 2)');
  assert.equal(unknownEntry([{ name: 3 }, {}], '3'), 'the list has no entry "3" (entries: 0 to 1)');
  assert.equal(
    unknownEntry([{ name: 'small' }, {}], 'smal'),
    'the list has no entry "smal"; did you mean small? (entries: small)',
  );
});

test('what is not path=value is refused', () => {
  assert.deepEqual(changed({}, ' a =5'), { a: 5 });
  for (const text of ['a', '=5', '=a=5', 'a..b=1', '.a=1']) {
    assert.throws(() => applyOverrides({}, [text]), { name: 'RequestError', message: /not of the form path=value/ });
  }
});

test('a # begins a comment nowhere: in a text it is kept, and refused where YAML would cut the value', () => {
  for (const text of ['a#2.txt', 'a/#2', '"a #2"', "'a #2'", '["a #1", b#2]', '{ a: "x #1" }', '|\n  # a\n  b #2']) {
    assert.ok(JSON.stringify(changed({}, `root=${text}`)).includes('#'), text);
  }
  const hints: Readonly<Record<string, RegExp>> = {
    'pt/t.txt #2.txt': /^Quote the value inside the quotes of the shell: --set 'data\.root="pt\/t\.txt #2\.txt"'\.$/,
    '#2.txt': /'data\.root="#2\.txt"'/,
    'a\t#2': /^Quote the value/,
    '5 # epochs': /^Quote the value/,
    '"a" #2': /^Leave out what follows/,
    '[1, 2] # both': /^Leave out what follows/,
    '[a #1, b]': /put each text that holds a # in double quotes/,
    '[a, # one\n b]': /^Leave out what follows/,
    '| # a\n  b': /^Leave out what follows/,
  };
  for (const [value, hint] of Object.entries(hints)) {
    assert.throws(() => applyOverrides({}, [`data.root=${value}`]), {
      ...{ name: 'RequestError', hint },
      message: `--set ${JSON.stringify(`data.root=${value}`)}: YAML ends a value at " #", as what follows is a comment there`,
    });
  }
  assert.deepEqual(changed({}, 'a.root="pt/t.txt #2.txt"'), { a: { root: 'pt/t.txt #2.txt' } });
});
