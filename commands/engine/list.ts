import type { EngineListing } from '../../src/engine/installed-engines.js';
import { EstaCommand } from '../../src/shared/command.js';

export default class EngineList extends EstaCommand {
  static override summary = 'Show which optional engines are installed, and where';
  static override examples = ['<%= config.bin %> engine list', '<%= config.bin %> engine list --json'];

  async run(): Promise<EngineListing> {
    await this.parse(EngineList);
    const { listEngines, renderEngines } = await import('../../src/engine/installed-engines.js');
    const listing = listEngines();
    this.log(renderEngines(listing));
    return listing;
  }
}
