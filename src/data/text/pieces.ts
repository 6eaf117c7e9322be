/**
 * The vocabulary of a SentencePiece model of byte-pair encoding, and the same as a `tokenizer.json` of Hugging Face
 * (LlamaConverter in transformers/convert_slow_tokenizer.py), so that one library encodes whatever a folder holds.
 */

export interface Piece {
  /** A space is written U+2581, a byte as `<0x0A>`. */
  readonly text: string;
  /** The higher, the earlier the piece is merged. */
  readonly score: number;
  readonly kind: 'normal' | 'unknown' | 'control' | 'user-defined' | 'unused' | 'byte';
}

export interface Pieces {
  /** By id. */
  readonly pieces: readonly Piece[];
  /** Whether a text is read as if a space stood before it. */
  readonly addsPrefix: boolean;
}

/** What a space is written as in a piece. */
export const space = '\u2581';

/** What `@huggingface/tokenizers` takes as the content of tokenizer.json. */
export function tokenizerJsonFrom({ pieces, addsPrefix }: Pieces): object {
  const added = pieces.flatMap(({ text, kind }, id) =>
    ['unknown', 'control', 'user-defined'].includes(kind)
      ? [
          {
            id,
            content: text,
            special: kind !== 'user-defined',
            normalized: false,
            lstrip: false,
            rstrip: false,
            single_word: false,
          },
        ]
      : [],
  );
  const toSpace = { type: 'Replace', pattern: { String: ' ' }, content: space };
  const fromSpace = { type: 'Replace', pattern: { String: space }, content: ' ' };
  const decoders = [fromSpace, { type: 'ByteFallback' }, { type: 'Fuse' }];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [...(addsPrefix ? [{ type: 'Prepend', prepend: space }] : []), toSpace],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: addsPrefix ? [...decoders, { type: 'Strip', content: ' ', start: 1, stop: 0 }] : decoders,
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: pieces.find(({ kind }) => kind === 'unknown')?.text ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
      merges: mergesOf(pieces),
    },
  };
}

/**
 * Every way to put a piece together from two others, those with the best score first: SentencePiece merges the neighbours
 * whose joined piece has the best score, a merge list in the order of the list.
 */
function mergesOf(pieces: readonly Piece[]): [string, string][] {
  const mergeable = new Map(
    pieces.filter(({ kind }) => kind === 'normal' || kind === 'user-defined').map((piece) => [piece.text, piece]),
  );
  const merges = [...mergeable.values()].flatMap(({ text, score }) => {
    const characters = [...text];
    return characters.slice(1).flatMap((_, before) => {
      const left = characters.slice(0, before + 1).join('');
      const right = text.slice(left.length);
      return mergeable.has(left) && mergeable.has(right) ? [{ left, right, score }] : [];
    });
  });
  merges.sort((a, b) => b.score - a.score);
  return merges.map(({ left, right }) => [left, right]);
}
