/** The template against its published text (tloen/alpaca-lora, templates/alpaca.json). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promptOf } from '../../../src/data/instructions/template.js';

const withInput =
  'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n';
const without =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Response:\n';

test('prompts with an input and without', () => {
  const instruction = 'Do "it".';
  const filled = (text: string, input: string) => text.replace('{instruction}', instruction).replace('{input}', input);
  assert.equal(promptOf({ instruction, input: 'x\ny' }), filled(withInput, 'x\ny'));
  assert.equal(promptOf({ instruction, input: '' }), filled(without, ''));
  assert.equal(promptOf({ instruction, input: ' ' }), filled(withInput, ' '), 'a space is an input');
});
