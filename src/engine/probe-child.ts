/**
 * The child of probe.ts: tries one engine on one device and writes one line of JSON, a ProbeResult. Its own process,
 * because a failing GPU driver can end the process that calls it.
 *
 * Arguments: engine, device, and for tensorflow optionally the folder whose node_modules holds the addon.
 */
import { messageOf } from '../shared/errors.js';
import type { Engine } from './engine.js';
import type { ProbeDevice, ProbeResult } from './probe.js';
import { selfCheck } from './self-check.js';

/** Results of the self-check are small integers, exact in float32; reduced-precision GPU matmuls may round them. */
const tolerance = 0.1;

interface Candidate {
  readonly engine: Engine;
  readonly device: string;
  readonly version: string;
}

async function onnxruntime(device: ProbeDevice): Promise<Candidate> {
  const [ort, { createOnnxEngine }] = await Promise.all([import('onnxruntime-node'), import('./onnx/engine.js')]);
  if (device !== 'cpu') await requirePlacement(device);
  return { engine: await createOnnxEngine({ device }), device, version: ort.env.versions.node ?? 'unknown' };
}

/** onnxruntime silently gives the CPU what a provider does not take: here that is an error. */
async function requirePlacement(device: ProbeDevice): Promise<void> {
  const [ort, tf, { trace }] = await Promise.all([
    import('onnxruntime-node'),
    import('@tensorflow/tfjs'),
    import('./onnx/tracer.js'),
  ]);
  const { model } = trace(({ x }: { x: import('@tensorflow/tfjs').Tensor }) => tf.matMul(x, x), {
    x: { shape: [2, 2], dtype: 'float32' },
  });
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [device],
    logSeverityLevel: 4,
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  await session.release();
}

async function tensorflow(folder?: string): Promise<Candidate> {
  const { findAddon } = await import('./tensorflow/location.js');
  const { loadAddon } = await import('./tensorflow/addon.js');
  const { eagerEngine } = await import('./tensorflow/engine.js');
  const addon = loadAddon(folder ? findAddon([folder]) : findAddon());
  const engine = eagerEngine(addon);
  return {
    engine,
    device: addon.usesGpu ? 'gpu' : 'cpu',
    version: `${addon.tensorflowVersion} (${addon.packageName})`,
  };
}

/** onnxruntime's messages without the C++ function and condition that they begin with, on one line. */
function readable(message: string): string {
  return message
    .replace(/^\/onnxruntime_src.* was false\. /s, '')
    .replace(/\s+/g, ' ')
    .trim();
}

async function probe(name: string, device: ProbeDevice, folder?: string): Promise<ProbeResult> {
  try {
    const candidate = name === 'tensorflow' ? await tensorflow(folder) : await onnxruntime(device);
    const error = await selfCheck(candidate.engine);
    const { device: uses, version } = candidate;
    if (!(error <= tolerance)) return { works: false, reason: `wrong numbers: a matmul is off by ${error}`, version };
    return { works: true, uses, version, largestError: error };
  } catch (error) {
    return { works: false, reason: readable(messageOf(error)) };
  }
}

const [name = 'onnxruntime', device = 'cpu', folder] = process.argv.slice(2);
const result = await probe(name, device as ProbeDevice, folder);
process.stdout.write(`\n${JSON.stringify(result)}\n`);
