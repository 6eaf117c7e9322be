/**
 * Writes a model of llama2.c (karpathy/llama2.c, export.py, version 0) as a folder in the layout of Hugging Face:
 *
 *   node dist/data-scripts/llama2c-to-hf.js stories260K.bin tok512.bin stories260K
 *   esta generate "Once upon a time" --checkpoint stories260K
 */
import { convertLlama2c } from './llama2c/convert.js';

const [model, tokenizer, folder] = process.argv.slice(2);
if (model === undefined || tokenizer === undefined || folder === undefined) {
  process.stderr.write('usage: llama2c-to-hf MODEL.bin TOKENIZER.bin FOLDER\n');
  process.exitCode = 2;
} else {
  await convertLlama2c(model, tokenizer, folder);
}
