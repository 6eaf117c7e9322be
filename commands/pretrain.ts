import { Args } from '@oclif/core';
import type { ImagePretraining } from '../src/config/schema/pretraining.js';
import { deviceFlag, EstaCommand, precisionFlag, setFlag } from '../src/shared/command.js';
import { formatPercent } from '../src/shared/costs/numbers.js';

export default class Pretrain extends EstaCommand {
  static override readonly summary = 'Pretrain a family of small anchors on a folder of images, or on plain text.';
  static override readonly description =
    'Trains the anchors of a pretraining file, from scratch or from weights that it names, one after the other or together (training.together), and writes their checkpoints. The embedded anchors were made this way.';

  static override readonly examples = [
    {
      description: 'The embedded anchors once more',
      command: '<%= config.bin %> pretrain experiments/pretrain-mini.yaml --set data.root=./tiny-imagenet',
    },
    {
      description: 'One epoch into another folder, to see that it works',
      command:
        '<%= config.bin %> pretrain experiments/pretrain-mini.yaml --set data.root=./tiny-imagenet --set training.epochs=1 --set training.warmup_epochs=0 --set output=./trial',
    },
  ];

  static override readonly args = {
    file: Args.string({ description: 'Pretraining file (YAML).', required: true }),
  };

  static override readonly flags = {
    set: setFlag,
    device: deviceFlag,
    precision: precisionFlag,
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Pretrain);
    const { loadPretraining } = await import('../src/config/load.js');
    const { config } = await loadPretraining(args.file, { set: flags.set });
    const { isTextPretraining } = await import('../src/config/schema/pretraining.js');
    const { createEngine } = await import('../src/engine/select.js');
    const { pretrain } = await import('../src/experiment/pretrain/pretrain.js');
    const { pretrainText } = await import('../src/experiment/pretrain/text/pretrain-text.js');
    const { interruptSignal } = await import('../src/shared/interrupt.js');
    const { createProgress } = await import('../src/shared/progress.js');
    const { device, precision } = flags;
    const engine = await createEngine(device === 'cuda' ? 'auto' : 'onnxruntime', { device, precision });
    const runtime = { engine, progress: createProgress(process.stderr), signal: interruptSignal() };
    if (isTextPretraining(config)) {
      const results = await pretrainText(config, runtime).finally(() => engine.dispose());
      for (const { name, folder, loss } of results) {
        this.log(`${name}: validation loss ${loss.toFixed(3)}, perplexity ${Math.exp(loss).toFixed(1)}, ${folder}`);
      }
      this.log('Each folder is a checkpoint for esta generate --checkpoint, and of an anchor in an experiment file.');
      return results;
    }
    const results = await pretrain(config as ImagePretraining, runtime).finally(() => engine.dispose());
    for (const { name, file, accuracy } of results) this.log(`${name}: ${formatPercent(accuracy)} top-1, ${file}`);
    this.log('Name these files as checkpoints of the anchors in an experiment file, and run it.');
    return results;
  }
}
