import { Args, Flags, type Interfaces } from '@oclif/core';
import { imageFormats } from '../src/data/image-files.js';
import type { Classifier } from '../src/evaluation/predict.js';
import {
  chosenBy,
  deployedFlags,
  deviceFlag,
  EstaCommand,
  engineFlag,
  refuseIdle,
  refuseIdleMachine,
} from '../src/shared/command.js';
import { RequestError } from '../src/shared/errors.js';

export default class Predict extends EstaCommand {
  static override readonly summary =
    'Classify images with a deployed stitch, or with a pretrained network and its own head.';
  static override readonly description =
    `With --run, what a run has deployed: the stitch that --budget can pay for, or --stitch.

With --checkpoint and --architecture, a pretrained network, to see that it is read rightly before anything is trained on it. Images are prepared as the pretraining evaluated them: as config.json (timm) or preprocessor_config.json (Hugging Face) beside the weights says, else as their names tell; where nothing tells, what is assumed is said. --mean, --std, --interpolation and --crop-share state it. Classes are numbers, in the order of the checkpoint's head.

An image that cannot be read is named, the others are classified, and the exit status is 1, as where it is the only one.

With --json a list with an entry for each image is printed, which holds the raw logits of all classes, or why it could not be read.`;

  static override readonly examples = [
    {
      description: 'The stitch that was deployed for at most 0.1 GFLOPs',
      command: '<%= config.bin %> predict --run runs/flowers12 --budget 0.1GFLOPs rose.jpg',
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

  static override readonly usage =
    '<%= command.id %> IMAGES... (--run DIR [--trial NAME] [--stitch ID | --budget BUDGET [--machine NAME]] | --checkpoint FILE --architecture NAME) [FLAGS]';

  static override readonly strict = false;

  static override readonly args = {
    images: Args.string({ description: `Image files (${imageFormats.join(', ')}); one or more.`, required: true }),
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
    mean: channelsFlag('Mean of each channel, of values in [0, 1]; default: as the weights were pretrained.'),
    std: channelsFlag(
      'Standard deviation of each channel, of values in [0, 1]; default: as the weights were pretrained.',
      0,
    ),
    interpolation: Flags.option({
      options: ['bicubic', 'bilinear'] as const,
      dependsOn: ['checkpoint'],
      summary: 'Kernel of the resize; default: as the weights were pretrained.',
    })(),
    'crop-share': Flags.custom<number>({
      dependsOn: ['checkpoint'],
      helpValue: 'SHARE',
      summary: 'Side of the central crop as a share of the shorter edge (crop_pct of timm): 0.9, 0.875, 1.',
      parse: async (text) => {
        const share = Number(text);
        if (share > 0 && share <= 1) return share;
        throw new RequestError(`--crop-share: expected a number above 0, at most 1, received ${JSON.stringify(text)}`);
      },
    })(),
    top: Flags.integer({ min: 1, default: 5, helpValue: 'N', summary: 'Classes to print for each image.' }),
    engine: engineFlag,
    device: deviceFlag,
  };

  override async run(): Promise<unknown> {
    const parsed = await this.parse(Predict);
    const { argv, flags } = parsed;
    if (flags.run === undefined) refuseIdle(parsed, Object.keys(deployedFlags), 'it is of --run');
    refuseIdleMachine(parsed);
    const { createEngine } = await import('../src/engine/select.js');
    const { device } = flags;
    const { openDeployed } = await import('../src/experiment/deployed/deployed-network.js');
    const { predict } = await import('../src/evaluation/predict.js');
    const { stitchSummary } = await import('../src/report/curves/labels.js');
    const deployed = flags.run === undefined ? undefined : await openDeployed(flags.run, chosenBy(flags));
    const classifier = deployed ?? (await pretrainedBy(flags));
    // oclif's own ways to stderr are silent with --json.
    for (const note of classifier.notes ?? []) process.stderr.write(`${note}\n`);
    const engine = await createEngine(flags.engine, { device });
    const images = argv as string[];
    const errors = new Map<string, RequestError>();
    const predictions = await predict(engine, classifier, images, flags.top, (image, error) =>
      errors.set(image, error),
    ).finally(() => engine.dispose());
    if (deployed && predictions.length > 0) this.log(`${stitchSummary(deployed.result)}, of ${deployed.trial}`);
    for (const { image, top: classes } of predictions) {
      this.log(image);
      for (const { class: index, name = `class ${index}`, probability, logit } of classes) {
        const share = (100 * probability).toFixed(1).padStart(5);
        this.log(`  ${share} %  ${name}  (logit ${logit.toFixed(3)})`);
      }
    }
    const chosen = deployed && { trial: deployed.trial, stitch: deployed.result.id };
    for (const { message } of errors.values()) this.logToStderr(`Error: ${message}`);
    for (const hint of new Set([...errors.values()].map((error) => error.hint))) if (hint) this.logToStderr(hint);
    if (errors.size > 0) process.exitCode = 1;
    const answers = predictions.values();
    return images.map((image) => ({ ...chosen, ...answerFor(image, errors, answers) }));
  }
}

/** Three numbers, of red, green and blue; each above `least`, if given, and none of pixels from 0 to 255. */
function channelsFlag(summary: string, least = Number.NEGATIVE_INFINITY) {
  return Flags.custom<Channels>({
    dependsOn: ['checkpoint'],
    helpValue: 'R,G,B',
    summary,
    parse: async (text, _context, { name }) => {
      const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
      const [red, green, blue] = values as [number, number, number];
      if (values.length === 3 && values.every((value) => value > least && value <= 1)) return [red, green, blue];
      const expected = `three numbers${least === 0 ? ' above 0,' : ''} up to 1, as 0.485,0.456,0.406`;
      throw new RequestError(`--${name}: expected ${expected}, received ${JSON.stringify(text)}`);
    },
  })();
}

type Channels = readonly [number, number, number];

type PredictFlags = Interfaces.InferredFlags<typeof Predict.flags>;

async function pretrainedBy(flags: PredictFlags): Promise<Classifier> {
  const { checkpoint, architecture, mean, std, interpolation, 'crop-share': cropShare } = flags;
  const { pretrainedClassifier } = await import('../src/evaluation/predict.js');
  return pretrainedClassifier(checkpoint!, architecture!, {
    ...(mean && { mean }),
    ...(std && { std }),
    ...(interpolation && { interpolation }),
    ...(cropShare && { cropShare }),
  });
}

/** What was found for an image, or why nothing was: predictions come in the order of the images that could be read. */
function answerFor(image: string, errors: ReadonlyMap<string, RequestError>, predictions: Iterator<object>): object {
  const error = errors.get(image);
  if (error) return { image, error: error.message, ...(error.hint && { hint: error.hint }) };
  return predictions.next().value;
}
