/**
 * The story of a pretraining of language models: one vocabulary is learned from the text, then one network after the
 * other; each becomes a folder in the layout of Hugging Face. A killed run goes on from its checkpoint, and ends with the
 * same numbers: batches depend on seed and position alone.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { TextPretraining } from '../../../config/schema/pretraining.js';
import { type TextLoader, textLoader } from '../../../data/text/loader.js';
import { tokenizerJsonFrom } from '../../../data/text/pieces.js';
import { learnBytePairs } from '../../../data/text/plain/byte-pairs.js';
import { readPlainText, type Sequences, sequencesOf } from '../../../data/text/plain/plain-text.js';
import { TextTokenizer, vocabularyUnit } from '../../../data/text/tokenizer.js';
import { toHost } from '../../../engine/transfer.js';
import { llamaArchitecture } from '../../../models/llama/architecture.js';
import type { LlamaConfig } from '../../../models/llama/config.js';
import { configJsonOf, llamaNamed } from '../../../models/llama/variants.js';
import { writeSafetensors } from '../../../models/pretrained/formats/safetensors.js';
import { singleFile } from '../../../models/pretrained/sources/weight-files.js';
import { publishedFrom } from '../../../models/weights.js';
import { RequestError } from '../../../shared/errors.js';
import { writeAtomic, writeJson } from '../../../shared/files.js';
import { treeOf } from '../../../training/parameters.js';
import type { Runtime } from '../../../training/runtime.js';
import { claimedOutput } from '../claimed-output.js';
import {
  type AskedLanguage,
  finishedLanguage,
  languageFolder,
  languageIdentity,
  languageTraining,
  type PretrainedLanguage,
} from './language-identity.js';
import { trainLanguage } from './language-training.js';

/** @throws RequestError (also where the output was made with other settings or text), TrialError, Interrupted */
export async function pretrainText(config: TextPretraining, runtime: Runtime): Promise<PretrainedLanguage[]> {
  // 1. What is there already; it must have been made as is asked for now.
  const networks = config.anchors.map(({ architecture }) => llamaNamed(architecture));
  const vocabulary = vocabularyOf(config, networks);
  const texts = await readPlainText(config.data.root);
  const asked = config.anchors.map((anchor, index) => {
    const identity = languageIdentity(config, anchor, texts, runtime.engine);
    return { anchor, network: networks[index]!, identity, folder: languageFolder(config, anchor) };
  });
  const before = await finishedBefore(asked);
  if (areAll(before)) return before;

  const pretrainAll = async () => {
    // 2. The vocabulary, and the text as sequences of it.
    const finished = await finishedBefore(asked); // another process may have ended since
    if (areAll(finished)) return finished;
    runtime.progress.line('learning the vocabulary');
    const pieces = learnBytePairs(texts.map(({ text }) => text).join('\n'), vocabulary);
    refuseSmallText(pieces.pieces.length, vocabulary);
    const tokenizerJson = `${JSON.stringify(tokenizerJsonFrom(pieces))}\n`;
    for (const { folder, network } of asked) {
      await writeAtomic(path.join(folder, 'tokenizer.json'), tokenizerJson);
      await writeJson(path.join(folder, 'config.json'), configJsonOf(network));
    }
    const tokenizer = await TextTokenizer.open(asked[0]!.folder);
    const { length, validation_fraction } = config.data;
    const loaders = loadersOf(config, sequencesOf(texts, tokenizer, length, validation_fraction));

    // 3. One network after the other.
    const results: PretrainedLanguage[] = [];
    for (const [index, each] of asked.entries()) {
      results.push(finished[index] ?? (await pretrainOne(config, each, loaders, runtime)));
    }
    return results;
  };
  const folders = asked.map(({ folder }) => folder);
  return claimedOutput(config.output, pretrainAll, folders);
}

/** A network whose vocabulary is mostly empty is none that a tokenizer is known to belong to. */
function refuseSmallText(pieces: number, vocabulary: number): void {
  if (vocabulary - pieces < vocabularyUnit) return;
  throw new RequestError(
    `data.root: the text makes a vocabulary of ${pieces} pieces, the networks have ${vocabulary}: it has too few different words`,
    'Give more varied text. Nothing was trained.',
  );
}

/** One after the other, so that of several networks the first is refused. */
async function finishedBefore(asked: readonly AskedLanguage[]): Promise<(PretrainedLanguage | undefined)[]> {
  const finished: (PretrainedLanguage | undefined)[] = [];
  for (const each of asked) finished.push(await finishedLanguage(each));
  return finished;
}

function areAll(finished: readonly (PretrainedLanguage | undefined)[]): finished is PretrainedLanguage[] {
  return finished.every((result) => result !== undefined);
}

/** @throws RequestError where the networks do not have one vocabulary, or cannot see a whole sequence */
function vocabularyOf({ anchors, data }: TextPretraining, networks: readonly LlamaConfig[]): number {
  const { vocabulary } = networks[0]!;
  const other = networks.findIndex((network) => network.vocabulary !== vocabulary);
  if (other >= 0) {
    throw new RequestError(
      `anchors: expected language models with one vocabulary, received ${anchors[0]!.architecture} (${vocabulary}) and ${anchors[other]!.architecture} (${networks[other]!.vocabulary})`,
      'They read the same text: choose models of one family.',
    );
  }
  const shortest = Math.min(...networks.map(({ contextLength }) => contextLength));
  if (data.length > shortest) {
    throw new RequestError(`data.length: expected at most ${shortest}, what the anchors see, received ${data.length}`);
  }
  return vocabulary;
}

interface Loaders {
  readonly train: TextLoader;
  readonly validation: TextLoader;
}

function loadersOf({ seed, training, data }: TextPretraining, { train, validation }: Sequences): Loaders {
  const batchSize = training.batch_size;
  if (train.length < batchSize) {
    throw new RequestError(
      `${train.length} sequences do not fill a batch of ${batchSize}`,
      'Set training.batch_size lower, or give more text.',
    );
  }
  const multiple = data.length;
  return {
    train: textLoader({ texts: train, batchSize, seed, order: 'shuffled', lastBatch: 'drop', multiple }),
    validation: textLoader({ texts: validation, batchSize, multiple }),
  };
}

async function pretrainOne(
  config: TextPretraining,
  { anchor, network, identity, folder }: AskedLanguage,
  loaders: Loaders,
  runtime: Runtime,
): Promise<PretrainedLanguage> {
  const { name } = anchor;
  const architecture = llamaArchitecture(anchor.architecture, network, config.data.length);
  const training = languageTraining(config, anchor);
  const checkpoint = path.join(folder, 'checkpoint.partial.safetensors');
  const { template, parameters, loss } = await trainLanguage(runtime, {
    ...{ name, architecture, seed: config.seed, training, ...loaders, checkpoint },
    fingerprint: JSON.stringify(identity),
    metricsFile: path.join(config.output, 'metrics.jsonl'),
  });
  const weights = treeOf(template, await toHost(runtime.engine, parameters));
  await writeSafetensors(path.join(folder, singleFile), publishedFrom(weights, architecture.tensors), {
    dtype: 'BF16', // what LLaMA is published in
    metadata: { epochs: String(training.epochs), loss: loss.toFixed(4), identity: JSON.stringify(identity) },
  });
  await rm(checkpoint, { force: true });
  runtime.engine.free(parameters);
  return { name, folder, epochs: training.epochs, loss };
}
