/**
 * A deployed stitch of language models as one ONNX file with past and present keys and values, its tokenizer and a JSON
 * file beside it. The file is run beside the engine, token by token, before anything is said of it.
 */
import path from 'node:path';
import type { Precision } from '../../../config/deployment-options.js';
import { promptOf } from '../../../data/instructions/template.js';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';
import { type DecoderFile, openDecoderFile } from '../../../engine/onnx/files/decoder-file.js';
import { withExternalData } from '../../../engine/onnx/files/external-data.js';
import { withPrecision } from '../../../engine/onnx/files/weight-precision.js';
import { encodeModel } from '../../../engine/onnx/model-proto.js';
import type { LanguageModel } from '../../../evaluation/generation/language-model.js';
import { chooseToken, greedy } from '../../../evaluation/generation/sampling.js';
import { decoderGraph } from '../../../models/llama/onnx-graph.js';
import { narrowToHalf } from '../../../models/pretrained/formats/half.js';
import { languageModelFolder } from '../../../models/pretrained/sources/embedded.js';
import type { MeasuredRun } from '../../../run-folder/measured/choice.js';
import type { StitchResult } from '../../../run-folder/result.js';
import { writeAtomic, writeJson } from '../../../shared/files.js';
import { Random } from '../../../shared/random.js';
import { firstAnchor } from '../../../stitching/space/stitch.js';
import { licenceOf, metadataOf } from '../../deployed/description.js';
import { descriptionOf, refuseOtherName, refuseToReplaceOther } from '../../deployed/file-name.js';
import { refuseOverflow } from '../../deployed/verification.js';
import { openDeployedLanguage } from '../deployed-language.js';
import { tokenizerBeside } from './tokenizer-file.js';

/** The file beside the engine, on one prompt and the tokens that the engine continues it with. */
export interface DecoderComparison {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly largestDifference: number;
  readonly largestLogit: number;
  /** Steps, the prompt one of them, with the same most probable token. */
  readonly sameToken: number;
}

export interface ExportedDecoder {
  readonly trial: string;
  readonly stitch: StitchResult;
  readonly licence: string;
  readonly file: string;
  readonly tokenizer: string;
  readonly description: string;
  /** Of the file, and of FILE.onnx_data beside it where the weights are more than a model may hold. */
  readonly bytes: number;
  readonly precision: Precision;
  /** Tokens that it was trained to see. */
  readonly contextLength: number;
  readonly vocabulary: number;
  readonly special: { readonly begin: number; readonly end: readonly number[] };
  /** What `past_key_values.N` and `present.N` are of: [batch, heads, tokens, width]. */
  readonly blocks: readonly { readonly anchor: string; readonly heads: number; readonly width: number }[];
  readonly comparison: DecoderComparison;
}

const comparedTokens = 8;

/**
 * @throws RequestError where the run is of images, its anchors are not there, another tokenizer or another JSON file lies
 *   beside the file, or its name is that of another kind of file
 */
export async function exportDecoder(
  run: MeasuredRun,
  result: StitchResult,
  file: string,
  precision: Precision,
): Promise<ExportedDecoder> {
  refuseOtherName(file, '.onnx', ['.onnx']);
  await refuseToReplaceOther(file);
  const deployed = await openDeployedLanguage(run, 'float32');
  const { experiment, tokenizer } = deployed;
  const { stitch, weights, shapes } = deployed.merged(result.id);
  const { anchors } = experiment;
  const { checkpoint, architecture } = anchors[firstAnchor(stitch)]!;
  const beside = await tokenizerBeside(await languageModelFolder(checkpoint, architecture), file);
  const facts = {
    trial: run.name,
    stitch: result,
    licence: licenceOf(experiment),
    precision,
    contextLength: Math.min(...shapes.map(({ config }) => config.contextLength)),
    vocabulary: shapes[0]!.config.vocabulary,
    special: { begin: tokenizer.special.begin, end: tokenizer.special.end },
    blocks: stitch.path.flatMap(({ anchor, blocks: [from, to] }, part) => {
      const { keyValueHeads, headWidth } = shapes[part]!.config;
      const block = { anchor: anchors[anchor]!.name, heads: keyValueHeads, width: headWidth };
      return Array.from({ length: to - from }, () => block);
    }),
  };
  const whole = withPrecision(decoderGraph(weights, shapes), precision, narrowToHalf);
  const { graph, data } = withExternalData(whole, `${path.basename(file)}_data`);
  const model = encodeModel({ ...graph, metadata: metadataOf(facts), opset: 18 });
  if (data.length > 0) await writeAtomic(`${file}_data`, data);
  await writeAtomic(file, model);
  await beside.copy();

  const engine = await createOnnxEngine();
  const opened = await openDecoderFile(file);
  const reference = deployed.model(engine, result.id);
  try {
    const prompt = tokenizer.encode(promptOf({ instruction: 'Name three fruits.', input: '' }));
    const length = Math.min(prompt.length, facts.contextLength - comparedTokens);
    const comparison = await compare(opened, reference, prompt.slice(0, length));
    refuseOverflow(file, comparison.largestDifference);
    const description = descriptionOf(file);
    const exported: ExportedDecoder = {
      file,
      tokenizer: beside.file,
      description,
      bytes: data.reduce((sum, part) => sum + part.length, model.length),
      ...facts,
      comparison,
    };
    await writeJson(description, exported);
    return exported;
  } finally {
    reference.dispose();
    await opened.close();
    await engine.dispose();
  }
}

/** Both read the prompt, and then the tokens that the reference continues it with, one by one. */
async function compare(
  file: DecoderFile,
  reference: LanguageModel,
  prompt: readonly number[],
): Promise<DecoderComparison> {
  const [decoder, reading] = [file.begin(), reference.begin()];
  const next = (logits: Float32Array) => chooseToken(logits, greedy, Random.of(0, 'unused'));
  let ids = prompt;
  let [largestDifference, largestLogit, sameToken] = [0, 0, 0];
  for (let step = 0; step <= comparedTokens; step++) {
    const expected = await reading.read(ids);
    const all = await decoder.read([ids]);
    const actual = all.data.subarray(-expected.length);
    for (const [index, logit] of expected.entries()) {
      largestDifference = Math.max(largestDifference, Math.abs(logit - actual[index]!));
      largestLogit = Math.max(largestLogit, Math.abs(logit));
    }
    if (next(expected) === next(actual)) sameToken++;
    ids = [next(expected)];
  }
  reading.end();
  return { promptTokens: prompt.length, newTokens: comparedTokens, largestDifference, largestLogit, sameToken };
}
