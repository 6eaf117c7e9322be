import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBudget } from '../../../src/shared/costs/budget.js';

test('budgets of every kind, with and without spaces and in any case', () => {
  const cases: [string, string, number][] = [
    ['5ms', 'latency', 5],
    ['0.25 s', 'latency', 250],
    ['800us', 'latency', 0.8],
    ['20MB', 'size', 20e6],
    ['20 MiB', 'size', 20 * 1_048_576],
    ['1.5gb', 'size', 1.5e9],
    ['2 KB', 'size', 2000],
    ['2 KiB', 'size', 2048],
    ['0.5 GiB', 'size', 536_870_912],
    ['1.5 TFLOPs', 'flops', 1.5e12],
    ['0.1GFLOPs', 'flops', 1e8],
    ['70 mflops', 'flops', 7e7],
    ['1GFLOP', 'flops', 1e9],
    ['400KFLOPS', 'flops', 4e5],
    ['8M params', 'params', 8e6],
    ['8Mparams', 'params', 8e6],
    ['500k parameters', 'params', 5e5],
    ['123 params', 'params', 123],
    ['8B', 'params', 8e9],
    ['1.1 b', 'params', 1.1e9],
  ];
  for (const [text, cost, limit] of cases) {
    const budget = parseBudget(text);
    assert.equal(budget.cost, cost, text);
    assert.ok(Math.abs(budget.limit / limit - 1) < 1e-12, `${text}: ${budget.limit}`);
  }
});

test('a plain number counts GFLOPs', () => {
  assert.deepEqual(parseBudget('0.5'), { cost: 'flops', limit: 5e8 });
  assert.deepEqual(parseBudget('.5'), { cost: 'flops', limit: 5e8 });
  assert.deepEqual(parseBudget('1e-1'), { cost: 'flops', limit: 1e8 });
});

test('a plain number of FLOPs is not taken for GFLOPs', () => {
  assert.throws(() => parseBudget('100000000'), {
    name: 'RequestError',
    message: /a plain number counts GFLOPs.* 100000000 /,
    hint: /Did you mean 100MFLOPs\?/,
  });
});

test('so many billions of parameters are bytes', () => {
  assert.throws(() => parseBudget('700000B'), {
    name: 'RequestError',
    message: /B counts billions of parameters, and no network here has 700000 of them/,
    hint: /Did you mean 700KB\?/,
  });
});

test('what is no budget is refused, with what is allowed', () => {
  for (const text of ['cheap', '', '0', '-5ms', '0ms', 'ms', '1e999']) {
    assert.throws(() => parseBudget(text), { name: 'RequestError', message: /expected a number above 0 with a unit/ });
  }
  assert.throws(() => parseBudget('5 parsecs'), {
    name: 'RequestError',
    hint: /Allowed are .*ms.*MB.*GFLOPs.*M params/,
  });
  assert.throws(() => parseBudget('5GFLOSP'), { name: 'RequestError', message: /did you mean 5GFLOPs\?/ });
});
