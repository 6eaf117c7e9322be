import { Flags } from '@oclif/core';
import type { InstalledAddon } from '../../src/engine/tensorflow/install.js';
import { EstaCommand } from '../../src/shared/command.js';

export default class EngineInstall extends EstaCommand {
  static override summary = 'Install the optional TensorFlow engine (tfjs-node)';
  static override description = `The default engine needs no installation. This one installs @tensorflow/tfjs-node into
~/.local/share/esta/engines (or $ESTA_ENGINES), and its binary: downloaded from storage.googleapis.com, or, with
--libtensorflow, built against a TensorFlow that is already on this machine, for example one installed with pip. The
folder of that TensorFlow must stay where it is. --engine auto uses the TensorFlow engine when it finds a GPU.`;
  static override examples = [
    '<%= config.bin %> engine install',
    '<%= config.bin %> engine install --gpu',
    '<%= config.bin %> engine install --libtensorflow ~/venv/lib/python3.11/site-packages/tensorflow',
  ];
  static override flags = {
    gpu: Flags.boolean({ summary: 'Install tfjs-node-gpu (NVIDIA, CUDA)', default: false }),
    libtensorflow: Flags.string({ summary: 'Build against the TensorFlow in this folder', helpValue: 'DIR' }),
  };

  async run(): Promise<InstalledAddon> {
    const { gpu, libtensorflow } = (await this.parse(EngineInstall)).flags;
    const { installTensorFlow } = await import('../../src/engine/tensorflow/install.js');
    const options = { gpu, ...(libtensorflow === undefined ? {} : { libtensorflow }) };
    const installed = await installTensorFlow(options, (step) => this.log(`- ${step}`));
    this.log(`\nTensorFlow ${installed.version} is ready and uses the ${installed.uses}: --engine tensorflow`);
    return installed;
  }
}
