/** `adapter_config.json` of a LoRA adapter (huggingface/peft, tuners/lora/config.py). */
import path from 'node:path';
import { z } from 'zod';
import { check, show } from '../../config/problems.js';
import { RequestError } from '../../shared/errors.js';
import { readJson } from '../../shared/files.js';

export const configFile = 'adapter_config.json';

const patterns = z.record(z.string(), z.number().positive()).nullish();

/** Defaults are PEFT's. Ranks are those of the tensors. */
const schema = z.looseObject({
  peft_type: z.literal('LORA'),
  lora_alpha: z.number().positive().default(8),
  use_rslora: z.boolean().default(false),
  lora_bias: z.boolean().default(false),
  alpha_pattern: patterns,
});

export type AdapterConfig = z.infer<typeof schema>;

interface Refusal {
  readonly plain: readonly unknown[];
  readonly what: string;
  /** What to do; left out: `merge`. */
  readonly hint?: string;
}

const merge =
  'Merge the adapter into its network with PEFT (merge_and_unload) and give the merged folder as --checkpoint.';

/** What other values of a field mean, and the values that change nothing. */
const refused: Readonly<Record<string, Refusal>> = {
  bias: { plain: ['none'], what: 'biases that are trained' },
  fan_in_fan_out: { plain: [false], what: 'weights that lie the other way round' },
  use_dora: { plain: [false], what: 'DoRA' },
  use_qalora: { plain: [false], what: 'QA-LoRA' },
  alora_invocation_tokens: { plain: [], what: 'an update that begins only after certain tokens' },
  modules_to_save: { plain: [], what: 'whole layers beside the updates' },
  // PiSSA, OLoRA, CorDA and LoftQ take their start out of the weights (tuners/lora/layer.py, update_layer): the updates fit
  // no others.
  init_lora_weights: {
    plain: [true, false, 'gaussian', 'eva', 'orthogonal'],
    what: 'an update of weights that its start has changed',
    hint: `Save it once more as a plain adapter, save_pretrained(DIR, path_initial_model_for_weight_conversion=...) in PEFT, which PiSSA, OLoRA and CorDA allow. Or: ${merge}`,
  },
  layer_replication: { plain: [], what: 'blocks that are repeated' },
};

export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const file = path.join(folder, configFile);
  const json = await readJson<Record<string, unknown>>(file);
  const result = check(schema, json);
  if ('problems' in result) {
    const lines = result.problems.map(({ path: where, message }) => `  ${where.join('.') || 'the file'}: ${message}`);
    throw new RequestError(
      [`${file} does not describe a LoRA adapter:`, ...lines].join('\n'),
      'Only LoRA adapters of PEFT are read.',
    );
  }
  for (const [field, { plain, what, hint = merge }] of Object.entries(refused)) {
    const value = json[field];
    const isEmpty = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
    if (isEmpty || plain.includes(typeof value === 'string' ? value.toLowerCase() : value)) continue;
    throw new RequestError(`${file}: ${field} is ${show(value)}: ${what} is not supported`, hint);
  }
  return result.config;
}

/** alpha / rank, or alpha / sqrt(rank) of rsLoRA; a pattern is the end of a module's path, as a regular expression. */
export function scaleOf(
  { lora_alpha, use_rslora, alpha_pattern }: AdapterConfig,
  module: string,
  rank: number,
): number {
  const own = Object.entries(alpha_pattern ?? {}).find(([pattern]) => endOf(pattern).test(module));
  return (own?.[1] ?? lora_alpha) / (use_rslora ? Math.sqrt(rank) : rank);
}

function endOf(pattern: string): RegExp {
  try {
    return new RegExp(`^(.*\\.)?(${pattern})$`);
  } catch {
    throw new RequestError(
      `${configFile}: alpha_pattern holds ${JSON.stringify(pattern)}, which is no regular expression here`,
      merge,
    );
  }
}

export interface WrittenConfig {
  /** Name or folder of the network that the updates belong to. */
  readonly base: string;
  readonly rank: number;
  readonly alpha: number;
  /** Ends of the paths of the adapted layers: `q_proj`. */
  readonly targets: readonly string[];
  /** Indices of the adapted blocks. */
  readonly blocks: readonly number[];
  /** B has a bias. */
  readonly hasBias: boolean;
}

/** As PEFT writes it: sorted, indented by 2. */
export function writtenConfig({ base, rank, alpha, targets, blocks, hasBias }: WrittenConfig): string {
  const config = {
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_to_transform: blocks,
    lora_alpha: alpha,
    lora_bias: hasBias,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    target_modules: targets,
    task_type: 'CAUSAL_LM',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
