import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answersViews } from '../../../src/report/language/answers-view.js';
import type { TrialRecord } from '../../../src/run-folder/trial-record.js';

test('answers of one trial in two runs are two tables, whose files have names of their own', () => {
  const answers = { version: 1, device: 'CPU', questions: [] };
  const record = (run: string, name: string) => ({ run, name, answers }) as unknown as TrialRecord;
  const tables = answersViews([record('a/x', 'd-esta-seed0'), record('b/x', 'd-esta-seed0'), record('b/x', 'e')]);
  assert.deepEqual(
    tables.map(({ name }) => name),
    ['answers-a-x-d-esta-seed0', 'answers-b-x-d-esta-seed0', 'answers-e'],
  );
  assert.match(tables[1]!.title, /of b\/x\/d-esta-seed0 \(/);
});
