/** Instructions as token ids and labels (alpaca-lora, finetune.py, tokenize and generate_and_tokenize_prompt). */
import { ignoredLabel, type TokenisedText } from '../text/tokenised-text.js';
import type { TextTokenizer } from '../text/tokenizer.js';
import type { Instruction } from './instructions.js';
import { promptOf } from './template.js';

export interface TokeniseOptions {
  /** Tokens at most; what is longer is cut off. Default 256. */
  readonly cutoff?: number;
  /** Whether the prompt is learned too. Default true. */
  readonly trainOnInputs?: boolean;
}

/** Begin, prompt, answer, end; the end is left out where the text is cut off. */
export function tokenise(
  instruction: Instruction,
  tokenizer: Pick<TextTokenizer, 'encode' | 'special'>,
  { cutoff = 256, trainOnInputs = true }: TokeniseOptions = {},
): TokenisedText {
  const prompt = promptOf(instruction);
  const ids = tokenizer.encode(prompt + instruction.output).slice(0, cutoff);
  const [end] = tokenizer.special.end;
  if (ids.length < cutoff && ids.at(-1) !== end) ids.push(end!);
  if (trainOnInputs) return { ids, labels: ids };
  const given = tokenizer.encode(prompt).length;
  return { ids, labels: ids.map((id, index) => (index < given ? ignoredLabel : id)) };
}
