/** The texts of a trial: instructions in the words of the tokenizer, in batches for training and for validation. */
import type { TextDatasetConfig } from '../../config/schema/dataset.js';
import { type Instruction, readInstructions } from '../../data/instructions/instructions.js';
import { hasNoOutput } from '../../data/instructions/notes.js';
import { splitInstructions } from '../../data/instructions/split.js';
import { tokenise } from '../../data/instructions/tokenise.js';
import { wordTasks } from '../../data/instructions/word-tasks.js';
import { type TextLoader, textLoader } from '../../data/text/loader.js';
import type { TokenisedText } from '../../data/text/tokenised-text.js';
import type { TextTokenizer } from '../../data/text/tokenizer.js';
import { type Int32NdArray, int32 } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { Random } from '../../shared/random.js';
import type { ImageCounts, TextRecipe } from '../recipe.js';
import { lessonNote } from './text-lessons.js';

export interface InstructionParts {
  readonly train: readonly Instruction[];
  readonly validation: readonly Instruction[];
  /** Empty where none were asked for. */
  readonly test: readonly Instruction[];
}

/** @throws RequestError for a file that is not there or wrong, with line numbers, has no answers, or too small to be split */
export async function loadInstructions(dataset: TextDatasetConfig): Promise<InstructionParts> {
  if (dataset.kind === 'word-tasks') {
    const { train_texts, validation_texts, test_texts, seed } = dataset;
    const all = wordTasks(train_texts + validation_texts + test_texts, seed);
    const held = train_texts + validation_texts;
    return { train: all.slice(0, train_texts), validation: all.slice(train_texts, held), test: all.slice(held) };
  }
  const all = await readInstructions(dataset.file);
  if (all.every(hasNoOutput)) {
    throw new RequestError(
      `${dataset.file}: the output of all ${all.length} entries is empty, so that no answer can be learned`,
      'Give the entries their answers as "output".',
    );
  }
  return splitInstructions(all, dataset.validation_texts, dataset.validation_seed, dataset.test_texts);
}

export function countTexts({ train, validation }: InstructionParts): ImageCounts {
  return { train: train.length, 'train+validation': train.length + validation.length };
}

export interface TextTrialData {
  readonly kind: 'texts';
  /** In the order of the recipe, with micro batches. */
  training(): TextLoader;
  /** Default the validation texts; the test texts only where there are some. */
  evaluation(split?: 'validation' | 'test'): TextLoader;
  readonly hasTest: boolean;
  /** What a user should know of the texts, a sentence each. */
  readonly notes: readonly string[];
  /** int32 [1, length], for the least-squares start: without padding. */
  readonly fit: readonly Int32NdArray[];
  close(): Promise<void>;
}

/** Lengths of the texts that stitching layers are fitted on: a program is compiled for each. */
const fitLengths = 32;

/**
 * @param seed of the order, and of the texts that stitching layers are fitted on
 * @throws RequestError where nothing is learned of any text of a split: instructions are as long as the cutoff
 */
export function textTrialData(
  recipe: TextRecipe,
  { train, validation, test }: InstructionParts,
  tokenizer: TextTokenizer,
  { seed, fitTexts }: { readonly seed: number; readonly fitTexts: number },
): TextTrialData {
  const { cutoff, trainOnInputs, batchSize, microBatchSize, evaluationBatchSize, multiple } = recipe;
  const tokens = (part: readonly Instruction[]) =>
    part.map((instruction) => tokenise(instruction, tokenizer, { cutoff, trainOnInputs }));
  const [training, validating, testing] = [tokens(train), tokens(validation), tokens(test)];
  const note = lessonNote({ training, validation: validating, test: testing }, cutoff);
  const order = recipe.groupByLength ? 'by length' : 'shuffled';
  const loaders = {
    training: textLoader({ texts: training, batchSize, microBatchSize, seed, order, lastBatch: 'drop', multiple }),
    validation: textLoader({ texts: validating, batchSize: evaluationBatchSize, multiple }),
    test: textLoader({ texts: testing, batchSize: evaluationBatchSize, multiple }),
  };
  return {
    kind: 'texts',
    training: () => loaders.training,
    evaluation: (split = 'validation') => loaders[split],
    hasTest: test.length > 0,
    notes: note === undefined ? [] : [note],
    fit: Random.of(seed, 'fit images').shuffled(training).slice(0, fitTexts).map(shortened),
    close: async () => {},
  };
}

function shortened({ ids }: TokenisedText): Int32NdArray {
  const length = ids.length < fitLengths ? ids.length : ids.length - (ids.length % fitLengths);
  return int32([1, length], Int32Array.from(ids.slice(0, length)));
}
