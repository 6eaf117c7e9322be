import { Args, Flags } from '@oclif/core';
import type { Classifier } from '../src/evaluation/predict.js';
import type { DeployedChoice } from '../src/experiment/deployed/deployed-network.js';
import { deployedFlags, deviceFlag, EstaCommand, engineFlag } from '../src/shared/command.js';

export default class Predict extends EstaCommand {
  static override readonly summary =
    'Classify images with a deployed stitch, or with a pretrained network and its own head.';
  static override readonly description =
    `With --run, what a run has deployed: the stitch that --budget can pay for, or --stitch.

With --checkpoint and --architecture, a pretrained network, to see that it is read rightly before anything is trained on it. Images are prepared as the pretraining evaluated them: the shorter edge is resized, the centre cropped, and the channels normalised with the values of the family. Classes are numbers, in the order of the checkpoint's head.

With --json a list with an entry for each image is printed, which holds the raw logits of all classes.`;

  static override readonly examples = [
    {
      description: 'The stitch that was deployed for at most 0.1 GFLOPs',
      command: '<%= config.bin %> predict --run runs/flowers12 --budget 0.1 rose.jpg',
    },
    {
      description: 'An embedded anchor',
      command: '<%= config.bin %> predict --checkpoint embedded --architecture vit_mini_base fish.jpg',
    },
    {
      description: 'A ConvNeXt from the Hugging Face hub',
      command:
        '<%= config.bin %> predict --checkpoint hf-hub:timm/convnext_tiny.fb_in22k --architecture convnext_tiny *.jpg',
    },
    {
      description: 'Logits for a program',
      command:
        '<%= config.bin %> predict --checkpoint ./vit.safetensors --architecture vit_tiny_patch16_224 cat.jpg --json',
    },
  ];

  static override readonly strict = false;

  static override readonly args = {
    images: Args.string({ description: 'Image files (JPEG, PNG, WebP); one or more.', required: true }),
  };

  static override readonly flags = {
    run: Flags.string({ helpValue: 'DIR', exactlyOne: ['run', 'checkpoint'], summary: 'Run folder.' }),
    ...deployedFlags,
    checkpoint: Flags.string({
      dependsOn: ['architecture'],
      helpValue: 'FILE',
      summary: 'Weights: a .safetensors or .npz file, a folder with one, hf-hub:OWNER/NAME, or embedded.',
    }),
    architecture: Flags.string({
      dependsOn: ['checkpoint'],
      helpValue: 'NAME',
      summary: 'What the weights belong to, as timm names it: vit_small_patch16_224, convnext_tiny.',
    }),
    top: Flags.integer({ min: 1, default: 5, helpValue: 'N', summary: 'Classes to print for each image.' }),
    engine: engineFlag,
    device: deviceFlag,
  };

  override async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(Predict);
    const { createEngine } = await import('../src/engine/select.js');
    const { device } = flags;
    const classifier = await classifierOf(flags);
    const engine = await createEngine(flags.engine, { device });
    const { predict } = await import('../src/evaluation/predict.js');
    const predictions = await predict(engine, classifier, argv as string[], flags.top).finally(() => engine.dispose());
    for (const { image, top: classes } of predictions) {
      this.log(image);
      for (const { class: index, name = `class ${index}`, probability, logit } of classes) {
        const share = (100 * probability).toFixed(1).padStart(5);
        this.log(`  ${share} %  ${name}  (logit ${logit.toFixed(3)})`);
      }
    }
    return predictions;
  }
}

interface Chosen extends DeployedChoice {
  readonly run?: string | undefined;
  readonly checkpoint?: string | undefined;
  readonly architecture?: string | undefined;
}

async function classifierOf({ run, checkpoint, architecture, ...choice }: Chosen): Promise<Classifier> {
  if (run === undefined) {
    const { pretrainedClassifier } = await import('../src/evaluation/predict.js');
    return pretrainedClassifier(checkpoint!, architecture!);
  }
  const { openDeployed } = await import('../src/experiment/deployed/deployed-network.js');
  return openDeployed(run, choice);
}
