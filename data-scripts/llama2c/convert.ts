/** From the two files of a llama2.c model to config.json, model.safetensors and tokenizer.json. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Piece, tokenizerJsonFrom } from '../../src/data/text/pieces.js';
import { writeSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { writeAtomic } from '../../src/shared/files.js';
import { readLlama2c } from './model.js';

export async function convertLlama2c(model: string, tokenizer: string, folder: string): Promise<void> {
  const { config, tensors } = readLlama2c(await readFile(model));
  const pieces = readTokenizer(await readFile(tokenizer), config.vocab_size);
  await writeAtomic(path.join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  await writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
  await writeAtomic(
    path.join(folder, 'tokenizer.json'),
    JSON.stringify(tokenizerJsonFrom({ pieces, addsPrefix: true })),
  );
}

/** tokenizer.py of llama2.c: length of the longest piece, then score, length and text of each. */
function readTokenizer(bytes: Buffer, vocabulary: number): Piece[] {
  const pieces: Piece[] = [];
  let position = 4;
  for (let id = 0; id < vocabulary; id++) {
    const score = bytes.readFloatLE(position);
    const length = bytes.readInt32LE(position + 4);
    const written = bytes.toString('utf8', position + 8, position + 8 + length);
    position += 8 + length;
    // It wrote spaces for SentencePiece's U+2581, and lines around the special tokens.
    if (id < 3) pieces.push({ text: written.trim(), score, kind: id === 0 ? 'unknown' : 'control' });
    else if (/^<0x[0-9A-F]{2}>$/.test(written)) pieces.push({ text: written, score, kind: 'byte' });
    else pieces.push({ text: written.replaceAll(' ', '\u2581'), score, kind: 'normal' });
  }
  return pieces;
}
