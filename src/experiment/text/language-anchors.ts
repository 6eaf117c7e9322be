/** What lies in the folders of the anchors of an experiment on text: weights, and one tokenizer. */
import type { AnchorConfig } from '../../config/schema/experiment.js';
import { TextTokenizer } from '../../data/text/tokenizer.js';
import type { NetworkWeights } from '../../models/family.js';
import type { LlamaArchitecture } from '../../models/llama/architecture.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import { loadLlama, type Storage } from '../../models/llama/load.js';
import { languageModelFolder } from '../../models/pretrained/sources/embedded.js';
import type { NdArray } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { differencesOf } from '../../shared/identity/differences.js';
import type { Anchors } from '../trial/network.js';
import { describedByFolder } from './language-space.js';

/**
 * The pretrained weights; language models keep their heads.
 * @throws RequestError where a folder holds another network than the one that was asked for
 */
export async function loadLanguageAnchors(
  anchors: readonly AnchorConfig[],
  architectures: readonly LlamaArchitecture[],
  storage: Storage,
  onShare?: (anchor: string, share: number) => void,
): Promise<Anchors<NdArray>> {
  const weights: NetworkWeights<NdArray>[] = [];
  for (const [index, { name, checkpoint, architecture }] of anchors.entries()) {
    const folder = await languageModelFolder(checkpoint, architecture);
    const onTensor = (share: number) => onShare?.(name, share);
    const loaded = await loadLlama(folder, { storage, onTensor });
    refuseOtherShape(name, folder, architectures[index]!.variant, loaded.config);
    weights.push(loaded.weights);
  }
  return { weights, heads: {} };
}

function refuseOtherShape(name: string, folder: string, wanted: LlamaConfig, found: LlamaConfig): void {
  const shapeOf = ({ beginId: _, endIds: __, contextLength: ___, ...shape }: LlamaConfig) => shape;
  const differences = differencesOf(shapeOf(wanted), shapeOf(found));
  if (differences.length === 0) return;
  throw new RequestError(
    `anchor ${name}: ${folder} holds another network:\n  ${differences.join('\n  ')}`,
    `Name the architecture that it is, or ${describedByFolder}, which takes its config.json.`,
  );
}

/**
 * The tokenizer of all anchors.
 * @throws RequestError where there is none, they differ, or it does not fit the vocabulary
 */
export async function commonTokenizer(
  anchors: readonly AnchorConfig[],
  architectures: readonly LlamaArchitecture[],
): Promise<TextTokenizer> {
  const tokenizers: TextTokenizer[] = [];
  for (const [index, { checkpoint, architecture }] of anchors.entries()) {
    const { beginId, endIds, vocabulary } = architectures[index]!.variant;
    const folder = await languageModelFolder(checkpoint, architecture);
    const tokenizer = await TextTokenizer.open(folder, { begin: beginId, end: endIds });
    tokenizer.requireVocabulary(vocabulary);
    tokenizers.push(tokenizer);
  }
  const [first] = tokenizers;
  const other = tokenizers.findIndex((tokenizer) => tokenizer.fingerprint !== first!.fingerprint);
  if (other < 0) return first!;
  throw new RequestError(
    `anchors ${anchors[0]!.name} and ${anchors[other]!.name} have different tokenizers: ${first!.location} and ${tokenizers[other]!.location}`,
    'A stitch reads the tokens of one anchor and writes those of the other: choose models of one family.',
  );
}
