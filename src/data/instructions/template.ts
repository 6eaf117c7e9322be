/** The template `alpaca` of alpaca-lora (templates/alpaca.json, utils/prompter.py). */
import type { Instruction } from './instructions.js';

const task = 'Below is an instruction that describes a task';
const request = 'Write a response that appropriately completes the request.';
const response = '### Response:';

/** What a network is given; its answer follows directly. An input of one space counts as one, as in alpaca-lora. */
export function promptOf({ instruction, input }: Omit<Instruction, 'output'>): string {
  if (input === '') return `${task}. ${request}\n\n### Instruction:\n${instruction}\n\n${response}\n`;
  const paired = `${task}, paired with an input that provides further context. ${request}`;
  return `${paired}\n\n### Instruction:\n${instruction}\n\n### Input:\n${input}\n\n${response}\n`;
}
