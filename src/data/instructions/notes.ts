/** What a user should know of instructions that can be trained on, but perhaps are not what was meant. */
import type { Instruction } from './instructions.js';
import type { InstructionSplits } from './split.js';

export const hasNoOutput = ({ output }: Instruction) => output.trim() === '';

/** A sentence each: texts that are held out and trained on too, and entries without an answer. */
export function notesOn({ train, validation, test }: InstructionSplits<Instruction>): string[] {
  const trained = new Set(train.map(identityOf));
  const copies = Object.entries({ validation, test }).flatMap(([split, texts]) => {
    const { length } = texts.filter((text) => trained.has(identityOf(text)));
    if (length === 0) return [];
    return `${length} of ${texts.length} ${split} texts are training texts too, so that the ${split} loss flatters; remove duplicates`;
  });
  const all = [...train, ...validation, ...test];
  const { length: empty } = all.filter(hasNoOutput);
  if (empty === 0) return copies;
  return [...copies, `the output of ${empty} of ${all.length} entries is empty, which teaches no answer; remove them`];
}

const identityOf = ({ instruction, input, output }: Instruction) => JSON.stringify([instruction, input, output]);
