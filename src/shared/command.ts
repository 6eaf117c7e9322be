/** What all commands have in common. They parse, make one call below `src/`, print, and return what `--json` shows. */
import { Args, Command, Flags } from '@oclif/core';
import { parseBudget } from './costs/budget.js';
import { type Device, devices, type EngineName, engineChoices, engineNames, precisions } from './engine-names.js';
import { RequestError } from './errors.js';

export abstract class EstaCommand extends Command {
  static override readonly enableJsonFlag = true;

  /** Failures are printed in one place, `src/cli.ts`, with and without `--json`. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }

  /** Prints what a command has to say, and ends with its status. @returns what `--json` shows */
  protected tell(told: { readonly text: string; readonly exitStatus: number; readonly document: unknown }): unknown {
    this.log(told.text);
    process.exitCode = told.exitStatus;
    return told.document;
  }
}

interface ParsedFlags {
  readonly flags: object;
  readonly metadata: { readonly flags: Readonly<Record<string, { readonly setFromDefault?: boolean } | undefined>> };
}

/**
 * Refuses flags that were typed and would change nothing: whoever typed one believes that it did.
 * @param names of those that are without effect
 * @param reason what they are for, or what they need
 * @throws RequestError
 */
export function refuseIdle({ flags, metadata }: ParsedFlags, names: readonly string[], reason: string): void {
  const given = flags as Readonly<Record<string, unknown>>;
  const idle = names.filter((name) => given[name] !== undefined && !metadata.flags[name]?.setFromDefault);
  if (idle.length === 0) return;
  const listed = idle.map((name) => `--${name}`).join(', ');
  throw new RequestError(`${listed}: without effect here; ${reason}`, 'Leave it out.');
}

/** `RUN`, of the commands that read one run. */
export const runArg = Args.string({ description: 'Run folder.', required: true });

/** `--set path=value`, of every command that reads a configuration file. */
export const setFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  default: [],
  helpValue: 'path=value',
  summary: 'Replace one value of the file; may be repeated.',
  description:
    'The path is dotted, list entries go by name or index, all of them by *; the value is YAML: training.epochs=5, ' +
    'training.base_learning_rates=[1e-3], data.root=./flowers, anchors.Ti.checkpoint=./tiny.safetensors.',
});

/** `--out`, of the commands that write: an empty one, as of a shell variable that is not set, would be the working folder. */
export const outFlag = Flags.custom<string>({
  parse: async (text) => {
    if (text !== '') return text;
    throw new RequestError(
      '--out: the name is empty',
      'Name a file or folder (. is the working folder), or leave it out.',
    );
  },
});

/**
 * The usage line of the commands that run trials: what oclif makes of flags that exclude each other cannot be read.
 * @param naming what names the trials: `FILE`
 */
export function usageOfTrials(naming: string): string {
  return (
    `<%= command.id %> ${naming} [--set path=value...] [--out DIR] [--jobs N|auto | --only ID... [--wait] | ` +
    '--list [--workers N] | --launcher slurm [--print] | --status | --dry-run] [FLAGS]'
  );
}

/** `--reuse DIR`, of the commands that train. */
export const reuseFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  default: [],
  helpValue: 'DIR',
  summary: 'Take over finished trials with exactly the same settings from this run folder, or the run folders in it.',
});

/** `--engine`, of the commands that compute. */
export const engineFlag = Flags.option({
  options: engineChoices,
  default: 'auto',
  summary:
    'What computes: auto takes a GPU that works (nvidia, then ONNX Runtime with CUDA, then TensorFlow), else ONNX Runtime on the CPU.',
})();

/** `--engine`, of benchmarks: one, and no search for another. */
export const benchEngineFlag = Flags.option({
  options: engineNames,
  summary: 'What computes; default: nvidia for --device cuda, else onnxruntime.',
})();

/** What computes a benchmark; see `benchEngineFlag`. */
export function benchEngine(asked: EngineName | undefined, device: Device | undefined): EngineName {
  return asked ?? (device === 'cuda' ? 'nvidia' : 'onnxruntime');
}

/** `--device`, beside `--engine`. */
export const deviceFlag = Flags.option({
  options: devices,
  summary:
    'Where it computes; default: what --engine auto finds, the CPU for onnxruntime, a GPU for tensorflow where it has one.',
})();

/** `--precision`, of benchmarks on a device. */
export const precisionFlag = Flags.option({
  options: precisions,
  summary: 'What matrix products are computed in; default: tf32 with CUDA on a card that has it, else float32.',
})();

/** `--threads`, of what trains or tests a finished run. */
export const coresFlag = Flags.integer({
  min: 1,
  helpValue: 'N',
  summary: 'Threads on a CPU; default all cores. Other numbers round differently.',
});

/** `--threads`, of benchmarks. */
export const threadsFlag = Flags.integer({ description: 'threads of one operator', default: 2, min: 1 });

/** `--repeat`, of benchmarks. */
export const repeatFlag = (times: number) =>
  Flags.integer({ description: 'timed repetitions; the median counts', default: times, min: 1 });

/** `--weights`, of what runs language models. */
export const weightsFlag = Flags.option({
  options: ['float32', '8bit'] as const,
  default: 'float32' as const,
  summary: 'How the frozen weights of language models are kept; 8 bits take a quarter of the memory.',
})();

/** `--machine NAME`, beside a budget of milliseconds or bytes. */
export const machineFlag = Flags.string({
  helpValue: 'NAME',
  summary: 'Whose milliseconds, or sizes of files, count; needed where several machines have been measured.',
});

/** `--trial NAME`, of the commands that read one trial. */
export const trialFlag = Flags.string({
  helpValue: 'NAME',
  summary: 'Trial folder; needed where the run has several trials.',
});

/** `--budget`: checked when it is parsed; `chosenBy` makes a budget of it. */
export const budgetFlag = Flags.custom<string>({
  helpValue: 'BUDGET',
  summary:
    'The deployed stitch with the most FLOPs of those that cost at most so much: 5ms (see esta measure), 20MB, ' +
    '30MFLOPs, 0.1GFLOPs, 8Mparams; a plain number counts GFLOPs. Default: the largest anchor.',
  parse: async (text) => {
    parseBudget(text);
    return text;
  },
});

/** Which of the networks that a run has deployed. */
export const deployedFlags = {
  trial: trialFlag,
  stitch: Flags.integer({ exclusive: ['budget'], helpValue: 'ID', summary: 'Id of a deployed stitch.' }),
  budget: budgetFlag(),
  machine: machineFlag,
};

/**
 * Refuses `--machine` beside a stitch, or a budget of FLOPs or parameters.
 * @throws RequestError
 */
export function refuseIdleMachine(
  parsed: ParsedFlags & { readonly flags: { readonly budget?: string | undefined } },
): void {
  const { budget } = parsed.flags;
  const cost = budget === undefined ? undefined : parseBudget(budget).cost;
  if (cost !== 'latency' && cost !== 'size')
    refuseIdle(parsed, ['machine'], 'it is of a budget of milliseconds or bytes');
}

/** The choice with its budget parsed; flags keep the text that was typed, which oclif repeats in messages. */
export function chosenBy<Flags extends { readonly budget?: string | undefined }>({ budget, ...flags }: Flags) {
  return { ...flags, budget: budget === undefined ? undefined : parseBudget(budget) };
}
