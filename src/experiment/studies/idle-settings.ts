/** `--set` of what a study compares: whoever typed it believes that it counts. A file may say it, for `esta run`. */
import type { Override } from '../../config/overrides.js';
import { show } from '../../config/problems.js';
import type { Variant } from '../../config/trials.js';
import { RequestError } from '../../shared/errors.js';
import { type AblationName, ablations } from './ablation.js';

/** @throws RequestError for a setting that all variants of the study have from the study itself */
export function refuseIdleSettings(
  name: AblationName,
  overrides: readonly Override[],
  variants: readonly Variant[],
): void {
  const { sets = [] } = ablations[name];
  for (const setting of ['methods', ...sets]) {
    const path = setting.split('.');
    const idle = overrides.find((override) => decides(override, path));
    if (!idle) continue;
    const values = new Set(variants.map(({ experiment }) => show(valueAt(experiment, path))));
    throw new RequestError(
      `--set ${idle.text}: without effect here; the study ${name} sets ${setting} itself, to ${[...values].join(', ')}`,
      `Leave ${setting} out of --set, or train with it alone: esta run.`,
    );
  }
}

/** Whether the override is of the setting, of a part of it, or of a section that it names the setting in. */
function decides({ path, value }: Override, setting: readonly string[]): boolean {
  const isOnPath = path.every((key, index) => index >= setting.length || key === setting[index]);
  return isOnPath && (path.length >= setting.length || valueAt(value, setting.slice(path.length)) !== undefined);
}

function valueAt(container: unknown, path: readonly string[]): unknown {
  return path.reduce((value, key) => (value as Readonly<Record<string, unknown>> | null | undefined)?.[key], container);
}
