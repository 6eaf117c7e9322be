import type { Diagnosis } from '../src/engine/doctor/diagnosis.js';
import { EstaCommand } from '../src/shared/command.js';

export default class Doctor extends EstaCommand {
  static override summary = 'Show what works on this machine, what does not and how to get it';
  static override description =
    'Tries every engine and device for real, each in a process of its own, with a small computation.';
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json'];

  async run(): Promise<Diagnosis> {
    await this.parse(Doctor);
    const { diagnose } = await import('../src/engine/doctor/diagnosis.js');
    const { renderDiagnosis } = await import('../src/engine/doctor/render-diagnosis.js');
    const diagnosis = await diagnose();
    this.log(renderDiagnosis(diagnosis));
    return diagnosis;
  }
}
