import { Args } from '@oclif/core';
import { EstaCommand } from '../../src/shared/command.js';

export default class EngineUninstall extends EstaCommand {
  static override summary = 'Remove an optional engine, and what a stopped installation has left of it';
  static override examples = ['<%= config.bin %> engine uninstall cuda'];
  static override args = {
    engine: Args.string({ options: ['cuda', 'tensorflow'], required: true, description: 'What to remove.' }),
  };

  async run(): Promise<{ readonly removed: boolean; readonly folder: string }> {
    const { engine } = (await this.parse(EngineUninstall)).args;
    const { uninstallEngine } = await import('../../src/engine/installed-engines.js');
    const { removed, folder } = await uninstallEngine(engine === 'cuda' ? 'cuda' : 'tensorflow');
    this.log(removed ? `Removed ${folder}` : `Not installed in ${folder}`);
    return { removed, folder };
  }
}
