/**
 * Text to token ids and back, for the tokenizer files of a language model's folder: `tokenizer.json` (Hugging Face), or
 * else `tokenizer.model` (SentencePiece). Hugging Face's own JavaScript library encodes both.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer as Encoder } from '@huggingface/tokenizers';
import { RequestError } from '../../shared/errors.js';
import { readJson } from '../../shared/files.js';
import { tokenizerJsonFrom } from './pieces.js';
import { readSentencePieceModel } from './sentencepiece-model.js';

/** Vocabularies of networks are filled up to a multiple of so many, for the sake of GPUs. */
export const vocabularyUnit = 128;

/** Ids that are not text. */
export interface SpecialIds {
  /** Stands before every text. */
  readonly begin: number;
  /** Any of them ends a text; the first is the one that is written. */
  readonly end: readonly number[];
  /** Fills up a batch. LLaMA has no such token; alpaca-lora takes 0, the unknown one, so that it differs from the end. */
  readonly padding: number;
}

export interface EncodeOptions {
  /** Puts the begin id in front; default true. */
  readonly begin?: boolean;
}

export class TextTokenizer {
  private constructor(
    /** Where it was read, for messages. */
    readonly location: string,
    private readonly encoder: Encoder,
    readonly special: SpecialIds,
  ) {}

  /**
   * @param folder of a model
   * @param configured special ids as config.json has them. `<s>` and `</s>` of the vocabulary come before them: some
   *   published configurations are wrong, which is why alpaca-lora forces 0, 1 and 2. Other ids that they end a text by end
   *   it, too, as `<|im_end|>` does for networks that were trained further
   * @throws RequestError where there is no tokenizer, or none that can be read
   */
  static async open(
    folder: string,
    configured: { readonly begin?: number | undefined; readonly end?: readonly number[] } = {},
  ): Promise<TextTokenizer> {
    const { location, json } = await tokenizerJson(folder);
    let encoder: Encoder;
    try {
      // Without this the decoder would take out spaces before punctuation.
      encoder = new Encoder(json, { clean_up_tokenization_spaces: false });
    } catch (error) {
      throw new RequestError(
        `${location} cannot be used: ${error instanceof Error ? error.message : error}`,
        'Write it again with a current version of transformers (save_pretrained).',
      );
    }
    const begin = encoder.token_to_id('<s>') ?? configured.begin;
    const ownEnd = encoder.token_to_id('</s>');
    const others = (configured.end ?? []).filter((id) => ownEnd === undefined || (id !== begin && id !== 0));
    const end = [...new Set([...(ownEnd === undefined ? [] : [ownEnd]), ...others])];
    if (begin === undefined || end.length === 0) {
      throw new RequestError(
        `${location} has no <s> and </s>, and config.json does not say which tokens begin and end a text`,
        'Add bos_token_id and eos_token_id to config.json.',
      );
    }
    const missing = [begin, end[0]!].find((id) => encoder.id_to_token(id) === undefined);
    if (missing !== undefined) {
      throw new RequestError(
        `${location} has no token ${missing}, with which texts begin or end by config.json`,
        'Correct bos_token_id and eos_token_id in config.json.',
      );
    }
    return new TextTokenizer(location, encoder, { begin, end, padding: 0 });
  }

  /** Tokens of the vocabulary, added ones included. */
  get size(): number {
    return this.encoder.get_vocab(true).size;
  }

  /** 16 hexadecimal digits that agree where the vocabularies do, token by token. */
  get fingerprint(): string {
    const tokens = [...this.encoder.get_vocab(true)].map(([token, id]) => `${id} ${token}`).sort();
    return createHash('sha256').update(tokens.join('\n')).digest('hex').slice(0, 16);
  }

  /** @throws RequestError where a network of so many tokens cannot be its own */
  requireVocabulary(vocabulary: number): void {
    const unneeded = vocabulary - this.size;
    if (unneeded >= 0 && unneeded < vocabularyUnit) return;
    throw new RequestError(
      `${this.location} has ${this.size} tokens, the network ${vocabulary}: they do not belong together`,
      'Copy the tokenizer from where the weights come from.',
    );
  }

  /** Ids of a text. Special tokens that are written in it, such as `</s>`, count as such. */
  encode(text: string, { begin = true }: EncodeOptions = {}): number[] {
    const ids = text === '' ? [] : this.encoder.encode(text, { add_special_tokens: false }).ids;
    return begin ? [this.special.begin, ...ids] : ids;
  }

  /** The text of ids, without special tokens. */
  decode(ids: readonly number[]): string {
    return ids.length === 0 ? '' : this.encoder.decode([...ids], { skip_special_tokens: true });
  }
}

async function tokenizerJson(folder: string): Promise<{ location: string; json: object }> {
  const own = path.join(folder, 'tokenizer.json');
  if (await isFile(own)) {
    const json = await readJson<object>(own);
    // The library wants these, and takes null for an answer.
    const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
    return { location: own, json: { ...parts, ...json } };
  }
  const model = path.join(folder, 'tokenizer.model');
  if (await isFile(model)) return { location: model, json: tokenizerJsonFrom(await readSentencePieceModel(model)) };
  throw new RequestError(
    `${folder} has no tokenizer: neither tokenizer.json nor tokenizer.model`,
    'Copy one of them from where the weights come from.',
  );
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
