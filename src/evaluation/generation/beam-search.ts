/**
 * Beam search as `generate` of transformers does it (generation/beam_search.py, BeamSearchScorer, length_penalty 1,
 * early_stopping false), which alpaca-lora generates with: the so many most probable beginnings grow side by side, and of
 * the texts that have ended the one with the highest mean log-probability of its tokens, the end included, is given.
 */
import type { TextTokenizer } from '../../data/text/tokenizer.js';
import { type Generated, type GenerationOptions, requireRoom } from './generate.js';
import type { LanguageModel } from './language-model.js';

export interface BeamOptions extends Pick<GenerationOptions, 'maxTokens' | 'signal'> {
  readonly beams: number;
}

interface Beam {
  readonly ids: readonly number[];
  /** Sum of the log-probabilities of its new tokens. */
  readonly sum: number;
  readonly logits: Float32Array;
}

interface Ended {
  readonly ids: readonly number[];
  /** Mean log-probability. */
  readonly score: number;
  readonly hasEnd: boolean;
}

/** @throws RequestError when prompt and new tokens do not fit into what the network can see at once */
export async function beamSearch(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  prompt: string,
  { beams: count, maxTokens, signal }: BeamOptions,
): Promise<Generated> {
  const ids = tokenizer.encode(prompt);
  requireRoom(ids.length, maxTokens, model.contextLength);
  const start = performance.now();
  let reading = model.begin(1, { tokens: ids.length + maxTokens, most: count });
  let beams: Beam[] = [{ ids: [], sum: 0, logits: await reading.read(ids) }];
  const afterPrompt = performance.now();
  let ended: Ended[] = [];
  let isInterrupted = false;
  for (let length = 1; length <= maxTokens && !isDone(ended, beams, length - 1, count); length++) {
    if (signal?.aborted) {
      isInterrupted = true;
      break;
    }
    const next: Omit<Beam, 'logits'>[] = [];
    const parents: number[] = [];
    for (const [rank, { beam, id, sum }] of candidatesOf(beams, 2 * count).entries()) {
      if (next.length === count) break;
      if (!tokenizer.special.end.includes(id)) {
        next.push({ ids: [...beam.ids, id], sum });
        parents.push(beams.indexOf(beam));
      } else if (rank < count) ended = kept([...ended, { ids: beam.ids, score: sum / length, hasEnd: true }], count);
    }
    if (next.length > 0 && length < maxTokens) {
      reading = inOrder(parents, beams.length) ? reading : reading.select(parents);
      const logits = await reading.readAll(next.map((beam) => beam.ids.slice(-1)));
      const size = logits.length / next.length;
      beams = next.map((beam, row) => ({ ...beam, logits: logits.subarray(row * size, (row + 1) * size) }));
    } else beams = next.map((beam) => ({ ...beam, logits: new Float32Array() }));
  }
  reading.end();
  const open = beams.map(({ ids, sum }) => ({ ids, score: sum / Math.max(1, ids.length), hasEnd: false }));
  const isOver = isDone(ended, beams, beams[0]?.ids.length ?? 0, count);
  const [best] = kept(isOver ? ended : [...ended, ...open], 1);
  const before = tokenizer.decode(ids);
  const stopped = isInterrupted ? 'interrupted' : best!.hasEnd ? 'end' : 'length';
  return {
    text: tokenizer.decode([...ids, ...best!.ids]).slice(before.length),
    promptTokens: ids.length,
    tokens: best!.ids.length,
    stopped,
    promptSeconds: (afterPrompt - start) / 1000,
    secondsPerToken: (performance.now() - afterPrompt) / 1000 / Math.max(1, best!.ids.length),
  };
}

/** Whether no beginning can still become better than all that have ended. */
function isDone(ended: readonly Ended[], beams: readonly Beam[], length: number, count: number): boolean {
  if (beams.length === 0) return true;
  if (ended.length < count) return false;
  const attainable = Math.max(...beams.map(({ sum }) => sum)) / Math.max(1, length);
  return Math.min(...ended.map(({ score }) => score)) >= attainable;
}

/** The `count` most probable continuations of all beams, the best first. */
function candidatesOf(beams: readonly Beam[], count: number) {
  const all = beams.flatMap((beam) => {
    const total = logSumExp(beam.logits);
    return bestOf(beam.logits, count).map((id) => ({ beam, id, sum: beam.sum + beam.logits[id]! - total }));
  });
  return all.sort((a, b) => b.sum - a.sum).slice(0, count);
}

/** Indices of the `count` largest numbers, the largest first; of equal ones the first. A sort of all takes 10 ms. */
function bestOf(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (best.length === count && logit <= logits[best.at(-1)!]!) continue;
    if (best.length === count) best.pop();
    const place = best.findLastIndex((other) => logits[other]! >= logit) + 1;
    best.splice(place, 0, id);
  }
  return best;
}

/** Whether each beam goes on with its own text, so that the texts stand where they are. */
function inOrder(parents: readonly number[], beams: number): boolean {
  return parents.length === beams && parents.every((parent, place) => parent === place);
}

function kept(ended: readonly Ended[], count: number): Ended[] {
  return ended.toSorted((a, b) => b.score - a.score).slice(0, count);
}

function logSumExp(logits: Float32Array): number {
  const largest = logits.reduce((one, other) => Math.max(one, other));
  return largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}
