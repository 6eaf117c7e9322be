/** A language model with its tokenizer, from a folder. */
import { TextTokenizer } from '../../data/text/tokenizer.js';
import type { Engine } from '../../engine/engine.js';
import { type LoadOptions, loadLlama } from '../../models/llama/load.js';
import { RequestError } from '../../shared/errors.js';
import { type LanguageModel, languageModel } from './language-model.js';

export interface OpenedModel {
  readonly model: LanguageModel;
  readonly tokenizer: TextTokenizer;
  readonly params: number;
  /** Tensors of the file that the network has no place for. */
  readonly unused: readonly string[];
}

/**
 * @param folder in the layout of Hugging Face
 * @param options storage of the linear layers, and an adapter for them
 * @throws RequestError for weights, an adapter or a tokenizer that cannot be read, or that do not belong together
 */
export async function openModel(
  engine: Engine,
  folder: string,
  options: Pick<LoadOptions, 'storage' | 'adapter'> = {},
): Promise<OpenedModel> {
  if (options.storage === '8bit' && engine.device === 'webgpu') {
    throw new RequestError('weights of 8 bits are not computed with on webgpu', 'Leave out --device or --weights.');
  }
  const { config, weights, params, unused } = await loadLlama(folder, options);
  const tokenizer = await TextTokenizer.open(folder, { begin: config.beginId, end: config.endIds });
  tokenizer.requireVocabulary(config.vocabulary);
  return { model: languageModel(engine, config, weights), tokenizer, params, unused };
}
