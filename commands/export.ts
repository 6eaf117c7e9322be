import { Args, Flags } from '@oclif/core';
import { chosenBy, deployedFlags, EstaCommand } from '../src/shared/command.js';
import { estaCommand } from '../src/shared/next-step.js';

export default class Export extends EstaCommand {
  static override readonly summary = 'Write a deployed stitch as one ONNX file.';
  static override readonly description =
    `What was trained is merged into the weights, so that the file holds the layers of the anchors and nothing beside them. It runs wherever ONNX Runtime does.

Input images: float32 [batch, side, side, 3], RGB from 0 to 255, resized and cropped as in training; the program normalises. Output logits: [batch, classes]. The metadata of the file name the classes, the preprocessing and the stitch.`;

  static override readonly examples = [
    {
      description: 'The best that a device can pay for: at most 0.1 GFLOPs an image',
      command: '<%= config.bin %> export runs/quickstart --budget 0.1GFLOPs --out small.onnx',
    },
    {
      description: 'One stitch of one trial',
      command: '<%= config.bin %> export runs/fgvc --trial cub-200-2011-esta-seed0 --stitch 42 --out birds.onnx',
    },
  ];

  static override readonly args = {
    run: Args.string({ description: 'Run folder.', required: true }),
  };

  static override readonly flags = {
    ...deployedFlags,
    out: Flags.string({ required: true, helpValue: 'FILE', summary: 'The ONNX file.' }),
    batch: Flags.integer({ min: 1, default: 1, helpValue: 'N', summary: 'Images at once.' }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Export);
    const { openDeployed } = await import('../src/experiment/deployed/deployed-network.js');
    const { exportNetwork } = await import('../src/experiment/deployed/export-network.js');
    const { stitchSummary } = await import('../src/report/curves/labels.js');
    const network = await openDeployed(args.run, chosenBy(flags));
    const exported = await exportNetwork(network, flags.out, flags.batch);
    this.log(`${stitchSummary(network.result)}, of ${network.trial}`);
    this.log(`Written: ${exported.file}, ${(exported.bytes / 2 ** 20).toFixed(1)} MiB, images [${exported.images}]`);
    this.log(
      `Load it with ONNX Runtime. The same stitch answers to ${estaCommand('predict', '--run', args.run, '--trial', network.trial, '--stitch', String(network.result.id), 'IMAGE')}`,
    );
    return { ...exported, trial: network.trial, stitch: network.result };
  }
}
