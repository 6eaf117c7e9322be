/**
 * The vocabulary of a SentencePiece model (`tokenizer.model`; google/sentencepiece: src/sentencepiece_model.proto), of the
 * kind that LLaMA has: byte-pair encoding with byte fallback on text as it is.
 */
import { readFile } from 'node:fs/promises';
import { RequestError } from '../../shared/errors.js';
import { explainReadError } from '../../shared/files.js';
import type { Piece, Pieces } from './pieces.js';
import { asFloat, type Field, fieldsOf } from './protobuf-reader.js';

/** `ModelProto.SentencePiece.Type`. */
const kinds: readonly (Piece['kind'] | undefined)[] = [
  undefined,
  'normal',
  'unknown',
  'control',
  'user-defined',
  'unused',
  'byte',
];

const modelTypes = ['?', 'unigram', 'BPE', 'word', 'char'];

/** Throws a RequestError when the file is no such model, or a model of another kind. */
export async function readSentencePieceModel(file: string): Promise<Pieces> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new RequestError(`${file} does not exist`) : explainReadError(error, file);
  });
  try {
    return piecesFrom(bytes, file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RequestError(
      `${file} is not a SentencePiece model: ${error.message}`,
      'The file is damaged or was not copied completely: copy it again.',
    );
  }
}

function piecesFrom(bytes: Uint8Array, file: string): Pieces {
  const pieces: Piece[] = [];
  // The defaults of the format.
  const trainer = { modelType: 1 };
  const normalizer = { addsPrefix: true, removesSpaces: true, mapsCharacters: false };
  for (const { number, bytes: inside } of fieldsOf(bytes)) {
    if (number === 1) pieces.push(pieceFrom(fieldsOf(inside)));
    if (number === 2) for (const field of fieldsOf(inside)) if (field.number === 3) trainer.modelType = field.integer;
    if (number !== 3) continue;
    for (const field of fieldsOf(inside)) {
      if (field.number === 2) normalizer.mapsCharacters = field.bytes.length > 0;
      if (field.number === 3) normalizer.addsPrefix = field.integer !== 0;
      if (field.number === 4) normalizer.removesSpaces = field.integer !== 0;
    }
  }
  if (pieces.length === 0) throw new RangeError('it has no pieces');
  refuseOtherKinds(file, {
    [`a ${modelTypes[trainer.modelType] ?? 'unknown'} model`]: trainer.modelType !== 2,
    'a model that maps characters to others (NFKC)': normalizer.mapsCharacters,
    'a model that removes spaces': normalizer.removesSpaces,
    'a model without byte fallback': !pieces.some(({ kind }) => kind === 'byte'),
  });
  return { pieces, addsPrefix: normalizer.addsPrefix };
}

function pieceFrom(fields: Iterable<Field>): Piece {
  let [text, score, kind] = ['', 0, kinds[1]];
  for (const field of fields) {
    // LLaMA's vocabulary has the byte order mark as a piece, which a decoder takes for one by default.
    if (field.number === 1) text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(field.bytes);
    if (field.number === 2) score = asFloat(field);
    if (field.number === 3) kind = kinds[field.integer];
  }
  if (kind === undefined) throw new RangeError(`piece ${JSON.stringify(text)} is of a kind that does not exist`);
  return { text, score, kind };
}

function refuseOtherKinds(file: string, kindsFound: Readonly<Record<string, boolean>>): void {
  for (const [what, isIt] of Object.entries(kindsFound)) {
    if (!isIt) continue;
    throw new RequestError(
      `${file} is ${what}; byte-pair encoding of plain text with byte fallback is read, as LLaMA has it`,
      "Convert it once: python -c \"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('DIR').save_pretrained('DIR')\", which writes tokenizer.json.",
    );
  }
}
