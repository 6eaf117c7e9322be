import { Flags, type Interfaces } from '@oclif/core';
import { type FileFormat, fileFormats, operatorSets, precisions } from '../src/config/deployment-options.js';
import type { DeployedChoice } from '../src/experiment/deployed/deployed-network.js';
import type { MeasuredRun } from '../src/run-folder/measured/choice.js';
import {
  chosenBy,
  deployedFlags,
  EstaCommand,
  outFlag,
  refuseIdle,
  refuseIdleMachine,
  runArg,
} from '../src/shared/command.js';
import { formatMebibytes, formatParameters, formatPercent } from '../src/shared/costs/numbers.js';
import { RequestError } from '../src/shared/errors.js';
import { estaCommand } from '../src/shared/next-step.js';

export default class Export extends EstaCommand {
  static override readonly summary =
    'Write a deployed stitch as one file, ONNX or safetensors for PyTorch, or as PEFT adapters of language models.';
  static override readonly description =
    `What was trained is merged into the weights, so that the file holds the layers of the anchors and nothing beside them. It runs wherever ONNX Runtime does; with --operators standard also in OpenVINO, TensorRT and browsers.

Input images: float32 [batch, side, side, 3], RGB from 0 to 255, resized and cropped as in training; the program normalises. Output logits: [batch, classes]. The metadata of the file name the classes, the preprocessing, the stitch and the licence; so does a JSON file beside it.

Afterwards the file is run on test images, and its logits are compared with those of predict. With fewer bits in the weights its accuracy on all test images is measured, where they are there.

A file named .safetensors holds a PyTorch state dict: with the names of timm where the stitch is an anchor, else those of its first anchor below front., of its last one below end., and the layer between as stitch. The file docs/read_stitch.py of the project reads and runs it.

Of language models, an ONNX file is a decoder with past keys and values, its inputs and outputs named as Hugging Face's optimum names them; the tokenizer is copied beside it.

Of language models, --format peft writes a folder with what was trained: for an anchor an adapter that PEFT loads (PeftModel.from_pretrained), its biases as lora_bias; for another stitch an adapter of each anchor, and the stitching layer beside.`;

  static override readonly examples = [
    {
      description: 'The best that a device can pay for: at most 0.1 GFLOPs an image',
      command: '<%= config.bin %> export runs/quickstart --budget 0.1GFLOPs --out small.onnx',
    },
    {
      description: 'A quarter of the size, for any runtime',
      command: '<%= config.bin %> export runs/flowers12 --precision int8 --operators standard --out small.onnx',
    },
    {
      description: 'One stitch of one trial',
      command: '<%= config.bin %> export runs/fgvc --trial cub-200-2011-esta-seed0 --stitch 42 --out birds.onnx',
    },
    {
      description: 'The adapter of the largest language model, for PEFT',
      command: '<%= config.bin %> export runs/stitched-llama --format peft --out adapter',
    },
  ];

  static override readonly args = { run: runArg };

  static override readonly flags = {
    ...deployedFlags,
    out: outFlag({
      required: true,
      helpValue: 'FILE',
      summary: 'The file: FILE.onnx, or FILE.safetensors for PyTorch; the folder of --format peft.',
    }),
    format: Flags.option({
      options: fileFormats,
      summary: 'Of what is written; default: what the name of the file says, else onnx.',
    })(),
    batch: Flags.integer({ min: 1, helpValue: 'N', summary: 'Images at once; default: any number.' }),
    operators: Flags.option({
      options: operatorSets,
      default: 'onnxruntime',
      summary: 'What the file may use: the ONNX standard alone, or also fused operators of ONNX Runtime.',
    })(),
    precision: Flags.option({
      options: precisions,
      default: 'float32',
      summary: 'Of the weights in the file; it computes in float32.',
    })(),
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Export);
    const { args, flags } = parsed;
    const { batch, operators, precision, out } = flags;
    const format: FileFormat = flags.format ?? (out.endsWith('.safetensors') ? 'safetensors' : 'onnx');
    if (format !== 'onnx') refuseIdle(parsed, ['batch', 'operators'], 'it is of files for ONNX Runtime');
    if (format === 'peft') refuseIdle(parsed, ['precision'], 'adapters are written as they were trained');
    refuseIdleMachine(parsed);
    if (format === 'peft') return this.writeAdapters(args.run, chosenBy(flags), out);
    const { openDeployed } = await import('../src/experiment/deployed/deployed-network.js');
    const { findTrial } = await import('../src/experiment/deployed/found-trial.js');
    const { isLanguageRun } = await import('../src/experiment/text/deployed-language.js');
    const trained = await findTrial(args.run, flags.trial);
    if (format === 'onnx' && (await isLanguageRun(trained))) return this.writeDecoder(trained, flags);
    const network = await openDeployed(args.run, chosenBy(flags));
    if (format === 'safetensors') {
      const { exportStateDict } = await import('../src/experiment/deployed/state-dict.js');
      const exported = await exportStateDict(network, out, precision);
      const names = exported.segments.length === 1 ? "timm's names" : 'front.*, stitch.* and end.*';
      this.log(`Written: ${exported.file}, ${formatMebibytes(exported.bytes)}, tensors with ${names}`);
      return exported;
    }
    const { comparisonText, exportFile } = await import('../src/experiment/deployed/export-file.js');
    const { stitchSummary } = await import('../src/report/curves/labels.js');
    const { createProgress } = await import('../src/shared/progress.js');
    const progress = createProgress(process.stderr);
    const exported = await exportFile(network, out, { batch, operators, precision, progress });
    const { file, description, bytes, input, comparison, accuracy } = exported;
    this.log(`${stitchSummary(network.result)}, of ${network.trial}`);
    this.log(`Written: ${file}, ${formatMebibytes(bytes)}, images [${input.images}]; ${description}`);
    this.log(`Beside predict: ${comparisonText(comparison)}`);
    if (accuracy !== undefined) this.log(`With ${precision} weights: ${formatPercent(accuracy)} of the test images`);
    this.log(
      `Load it with ONNX Runtime. The same stitch answers to ${estaCommand('predict', '--run', args.run, '--trial', network.trial, '--stitch', String(network.result.id), 'IMAGE')}`,
    );
    return exported;
  }

  private async writeDecoder(run: MeasuredRun, flags: ExportFlags): Promise<unknown> {
    const { chosenStitch } = await import('../src/experiment/deployed/deployed-network.js');
    const { exportDecoder } = await import('../src/experiment/text/export/onnx.js');
    if (flags.batch !== undefined) {
      throw new RequestError('--batch is of networks that read images', 'A language model takes any number of texts.');
    }
    const exported = await exportDecoder(run, chosenStitch(run, chosenBy(flags)), flags.out, flags.precision);
    const { stitch, file, bytes, description, tokenizer, comparison } = exported;
    const { largestDifference, largestLogit, sameToken, promptTokens, newTokens } = comparison;
    this.log(`Stitch ${stitch.id} of ${exported.trial}, ${formatParameters(stitch.params)}`);
    this.log(`Written: ${file}, ${formatMebibytes(bytes)}; ${tokenizer}; ${description}`);
    this.log(
      `Beside generate: largest difference of a logit ${largestDifference.toPrecision(2)} (logits up to ${largestLogit.toPrecision(3)}), same best token after ${sameToken} of ${newTokens + 1} readings: a prompt of ${promptTokens} tokens, then token by token`,
    );
    this.log('Load it with ONNX Runtime: inputs and outputs are named as optimum names them.');
    return exported;
  }

  private async writeAdapters(runFolder: string, choice: DeployedChoice, folder: string): Promise<unknown> {
    const { findTrial } = await import('../src/experiment/deployed/found-trial.js');
    const { chosenStitch } = await import('../src/experiment/deployed/deployed-network.js');
    const { exportAdapters } = await import('../src/experiment/text/export/adapters.js');
    const run = await findTrial(runFolder, choice.trial);
    const exported = await exportAdapters(run, chosenStitch(run, choice), folder);
    for (const { folder, anchor, blocks, base } of exported.adapters) {
      this.log(`Written: ${folder}, an adapter of blocks ${blocks[0]} to ${blocks[1] - 1} of ${anchor} (${base})`);
    }
    if (exported.stitchingLayer) this.log(`Written: ${exported.stitchingLayer}, the layer between them`);
    else {
      const { base, folder } = exported.adapters[0]!;
      this.log(
        `Load it with PEFT. The same network answers to ${estaCommand('generate', 'TEXT', '--checkpoint', base, '--adapter', folder)}`,
      );
    }
    return exported;
  }
}

type ExportFlags = Interfaces.InferredFlags<typeof Export.flags>;
