import { Flags } from '@oclif/core';
import type { CudaSetup } from '../../src/engine/cuda/set-up.js';
import type { InstalledAddon } from '../../src/engine/tensorflow/install.js';
import { EstaCommand } from '../../src/shared/command.js';

export default class EngineInstall extends EstaCommand {
  static override summary = 'Install CUDA for the default engine, or the optional TensorFlow engine (tfjs-node)';
  static override description =
    `The default engine needs no installation on a CPU. --cuda brings an ONNX Runtime with its CUDA
provider (linux x64): for CUDA 13 from npm, for CUDA 12 from nuget.org, checked by their hashes. CUDA itself comes from the
system, from conda or from a PyTorch; esta doctor names what is missing. --from takes files that were brought by hand:
the archives under the names that the registries give them, or the two libraries of the provider.

Without --cuda it installs @tensorflow/tfjs-node, and its binary: downloaded from storage.googleapis.com, or, with
--libtensorflow, built against a TensorFlow that is already on this machine, for example one installed with pip. The
folder of that TensorFlow must stay where it is.

Both go into ~/.local/share/esta/engines (or $ESTA_ENGINES). --engine auto uses what computes on a GPU.`;
  static override usage =
    '<%= command.id %> [--cuda [--cuda-version 12|13] [--from FOLDER] | --gpu | --libtensorflow DIR] [--json]';

  static override examples = [
    '<%= config.bin %> engine install --cuda',
    '<%= config.bin %> engine install --cuda --cuda-version 13 --from ~/brought',
    '<%= config.bin %> engine install',
    '<%= config.bin %> engine install --gpu',
    '<%= config.bin %> engine install --libtensorflow ~/venv/lib/python3.11/site-packages/tensorflow',
  ];
  static override flags = {
    // Without a default, which would be as good as the flag to those that depend on it.
    cuda: Flags.boolean({
      summary: 'Install ONNX Runtime with CUDA',
      exclusive: ['gpu', 'libtensorflow'],
    }),
    'cuda-version': Flags.option({
      options: ['12', '13'] as const,
      summary: 'Default: the one whose libraries are here, else the newest that the driver can run',
      dependsOn: ['cuda'],
    })(),
    from: Flags.string({ summary: 'Take the files from this folder', helpValue: 'FOLDER', dependsOn: ['cuda'] }),
    gpu: Flags.boolean({ summary: 'Install tfjs-node-gpu (NVIDIA, CUDA)', default: false }),
    libtensorflow: Flags.string({ summary: 'Build against the TensorFlow in this folder', helpValue: 'DIR' }),
  };

  async run(): Promise<InstalledAddon | CudaSetup> {
    const { flags } = await this.parse(EngineInstall);
    const { cuda, gpu, libtensorflow, from } = flags;
    const announce = (step: string) => this.log(`- ${step}`);
    if (cuda) {
      const { setUpCuda } = await import('../../src/engine/cuda/set-up.js');
      const version = flags['cuda-version'] === undefined ? undefined : flags['cuda-version'] === '12' ? 12 : 13;
      const setup = await setUpCuda({ cuda: version, from }, announce);
      this.log(setup.text);
      return setup;
    }
    const { installTensorFlow } = await import('../../src/engine/tensorflow/install.js');
    const options = { gpu, ...(libtensorflow === undefined ? {} : { libtensorflow }) };
    const installed = await installTensorFlow(options, announce);
    this.log(`\nTensorFlow ${installed.version} is ready and uses the ${installed.uses}: --engine tensorflow`);
    return installed;
  }
}
