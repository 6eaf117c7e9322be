/**
 * How trainables are called in files (trained.safetensors, checkpoints) and in seeds. The one place that makes and reads
 * these names; they are part of the format of run folders.
 *
 *     update/ANCHOR/BLOCK/STACK/{down,up}           updates
 *     layer/LAYER/{down,up}                         layers
 *     own/STITCH/{update,layer}/...                 own, of SS-LoRA
 *     bias/STITCH/SEGMENT                           biases
 *     bias/STITCH/layer                             layerBiases
 *     head/ANCHOR/{weight,bias}                     heads
 *     weights/PATH                                  weights, of full fine-tuning
 */
import { RequestError } from '../../shared/errors.js';
import { mapTrainables, noTrainables, type TrainablePath, type Trainables } from './trainables.js';

/** Words of names by group; layerBiases have their own form. */
const words: Readonly<Record<string, string>> = {
  updates: 'update',
  layers: 'layer',
  biases: 'bias',
  heads: 'head',
  weights: 'weights',
};
const groupsByWord = Object.fromEntries(Object.entries(words).map(([group, word]) => [word, group]));

export function nameOf([group, ...below]: TrainablePath): string {
  if (group === 'own') return `own/${below[0]}/${nameOf(below.slice(1))}`;
  if (group === 'layerBiases') return `bias/${below[0]}/layer`;
  return [words[group!], ...below].join('/');
}

/** Every tensor by its name. */
export function namedTrainables<T>(trainables: Trainables<T>): Record<string, T> {
  const named: Record<string, T> = {};
  mapTrainables(trainables, (leaf, path) => {
    named[nameOf(path)] = leaf;
  });
  return named;
}

/**
 * The inverse of `namedTrainables`.
 * @throws RequestError for a name that no trainable has
 */
export function trainablesOfNames<T>(named: Readonly<Record<string, T>>): Trainables<T> {
  const groups: Branch = {};
  for (const [name, tensor] of Object.entries(named)) place(groups, pathOf(name), tensor);
  // Each path leads to where the type has a tensor; a copy adds the groups in which a stitch owns nothing.
  return mapTrainables<T, T>({ ...noTrainables, ...groups }, (tensor) => tensor);
}

interface Branch {
  [name: string]: unknown;
}

function place(branch: Branch, [name, ...below]: TrainablePath, tensor: unknown): void {
  if (below.length === 0) {
    branch[name!] = tensor;
    return;
  }
  const next = (branch[name!] ?? {}) as Branch;
  branch[name!] = next;
  place(next, below, tensor);
}

function pathOf(name: string): TrainablePath {
  const [word, ...below] = name.split('/');
  if (word === 'own') return ['own', below[0]!, ...pathOf(below.slice(1).join('/'))];
  if (word === 'bias' && below[1] === 'layer') return ['layerBiases', below[0]!];
  if (word === 'weights') return ['weights', below.join('/')];
  const group = groupsByWord[word!];
  if (group !== undefined) return [group, ...below];
  throw new RequestError(
    `${name} is no name of a trained tensor`,
    'The file was written by another version of esta, or by another program.',
  );
}
