/** Whether onnxruntime can compute on a device: unasked it silently gives the CPU what a provider does not take. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import tf = require('@tensorflow/tfjs');

import { sizeOf } from '../../../shared/arrays.js';
import type { Device } from '../../../shared/engine-names.js';
import { messageOf, RequestError } from '../../../shared/errors.js';
import * as ort from '../runtime.js';
import '../kernels/index.js';
import { trace } from '../tracer.js';
import type { ProgramSource } from './backend.js';

/** Why not even a small matrix product runs on the provider, on one line; undefined when it does. */
export async function whyNotPlaced(provider: Exclude<Device, 'cpu'>): Promise<string | undefined> {
  const { model } = trace(({ x }: { x: tf.Tensor }) => tf.matMul(x, x), { x: { shape: [2, 2], dtype: 'float32' } });
  ort.env.logLevel = 'fatal'; // what fails is returned; onnxruntime would write it to standard error as well
  try {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [provider],
      logSeverityLevel: 4,
      ...wholly,
    });
    await session.release();
    return undefined;
  } catch (error) {
    return readable(messageOf(error));
  }
}

/** Session options with which a program that is not placed as a whole on its provider is refused. */
export const wholly = { extra: { session: { disable_cpu_ep_fallback: '1' } } } as const;

/** Session options of a program that takes its memory from the shared arena, and its constants from the device itself. */
export const fromSharedArena = { use_env_allocators: '1', use_device_allocator_for_initializers: '1' } as const;

/**
 * Makes a program's session with `create`, of which `wholly` is an option.
 * @throws RequestError where CUDA would leave operators to the CPU, naming them: their values would cross the bus twice
 */
export async function whollyPlaced<Session>(
  create: () => Promise<Session>,
  { key, device, model, inputs }: Omit<ProgramSource, 'outputs'> & { readonly device: Device },
): Promise<Session> {
  try {
    return await create();
  } catch (error) {
    if (device !== 'cuda') throw error;
    const left = await operatorsOnCpu(model, inputs, device).catch(() => []);
    if (left.length === 0) throw error;
    throw new RequestError(
      `CUDA has no kernel for ${left.join(', ')} of the program "${key}": they would be computed on the CPU`,
      'Use --device cpu or --device webgpu for this experiment.',
    );
  }
}

/**
 * Operators of a program that a provider leaves to the CPU, each with the number of its nodes: "CumSum (2)". Only a profile
 * tells where a node was placed, so the program is run once, on zeros.
 */
export async function operatorsOnCpu(
  model: Uint8Array,
  inputs: ProgramSource['inputs'],
  provider: Device,
): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-placement-'));
  try {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 4,
      enableProfiling: true,
      profileFilePrefix: path.join(folder, 'profile'),
    });
    await session.run(Object.fromEntries(inputs.map((input) => [input.name, zeros(input)])));
    session.endProfiling();
    await session.release();
    const [file] = await readdir(folder);
    return countOnCpu(JSON.parse(await readFile(path.join(folder, file!), 'utf8')));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function zeros({ dtype, shape }: ProgramSource['inputs'][number]): ort.Tensor {
  const size = sizeOf(shape);
  if (dtype === 'float32') return new ort.Tensor(dtype, new Float32Array(size), shape);
  return dtype === 'int32'
    ? new ort.Tensor(dtype, new Int32Array(size), shape)
    : new ort.Tensor(dtype, new Uint8Array(size), shape);
}

/** An event of onnxruntime's profile, as far as it is read. */
interface ProfileEvent {
  readonly cat?: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

function countOnCpu(events: readonly ProfileEvent[]): string[] {
  const counts = new Map<string, number>();
  for (const { cat, args } of events) {
    if (cat !== 'Node' || args?.provider !== 'CPUExecutionProvider' || args.op_name === undefined) continue;
    counts.set(args.op_name, (counts.get(args.op_name) ?? 0) + 1);
  }
  return [...counts].sort().map(([name, count]) => `${name} (${count})`);
}

/** onnxruntime's messages without the C++ functions and conditions around them. */
export function readable(message: string): string {
  const failure = /CUDA failure \d+: [^;]*/.exec(message)?.[0];
  return (failure ?? message)
    .replace(/^\/onnxruntime_src.* was false\. /s, '')
    .replace(/\s+/g, ' ')
    .trim();
}
