/**
 * The child of probe.ts: tries one engine on one device and writes one line of JSON, a ProbeResult. Its own process,
 * because a failing GPU driver can end the process that calls it.
 *
 * Arguments: engine, device, and for tensorflow optionally the folder whose node_modules holds the addon.
 */

import type { Device } from '../../shared/engine-names.js';
import { messageOf, RequestError } from '../../shared/errors.js';
import type { Engine } from '../engine.js';
import type { ProbeResult } from './probe.js';
import { selfCheck } from './self-check.js';

/** Results of the self-check are small integers, exact in float32; reduced-precision GPU matmuls may round them. */
const tolerance = 0.1;

interface Candidate {
  readonly engine: Engine;
  readonly device: string;
  readonly version: string;
}

async function onnxruntime(device: Device): Promise<Candidate> {
  const [ort, { createOnnxEngine }, { whyNotPlaced }] = await Promise.all([
    import('../onnx/runtime.js'),
    import('../onnx/engine.js'),
    import('../onnx/programs/placement.js'),
  ]);
  const reason = device === 'cpu' ? undefined : await whyNotPlaced(device);
  if (reason !== undefined) throw new Error(reason);
  return { engine: await createOnnxEngine({ device }), device, version: ort.env.versions.node ?? 'unknown' };
}

async function nvidia(): Promise<Candidate> {
  const [{ openCard }, { createNvidiaEngine }] = await Promise.all([
    import('../nvidia/card/open.js'),
    import('../nvidia/engine.js'),
  ]);
  const card = await openCard();
  return { engine: await createNvidiaEngine({ card }), device: 'cuda', version: card.name };
}

async function tensorflow(folder?: string): Promise<Candidate> {
  const { findAddon } = await import('../tensorflow/location.js');
  const { loadAddon } = await import('../tensorflow/addon.js');
  const { eagerEngine } = await import('../tensorflow/engine.js');
  const addon = loadAddon(folder ? findAddon([folder]) : findAddon());
  const engine = eagerEngine(addon);
  return {
    engine,
    device: addon.usesGpu ? 'gpu' : 'cpu',
    version: `${addon.tensorflowVersion} (${addon.packageName})`,
  };
}

async function probe(name: string, device: Device, folder?: string): Promise<ProbeResult> {
  try {
    const candidate =
      name === 'nvidia' ? await nvidia() : name === 'tensorflow' ? await tensorflow(folder) : await onnxruntime(device);
    const error = await selfCheck(candidate.engine);
    const { device: uses, version } = candidate;
    if (!(error <= tolerance)) return { works: false, reason: `wrong numbers: a matmul is off by ${error}`, version };
    const { crossing } = candidate.engine;
    return { works: true, uses, version, largestError: error, ...(crossing !== undefined && { crossing }) };
  } catch (error) {
    // Of the other engines doctor itself knows what to do.
    const hint = name === 'nvidia' && error instanceof RequestError ? error.hint : undefined;
    return { works: false, reason: [messageOf(error), ...(hint ? [hint] : [])].join('. ') };
  }
}

const [name = 'onnxruntime', device = 'cpu', folder] = process.argv.slice(2);
const result = await probe(name, device as Device, folder);
process.stdout.write(`\n${JSON.stringify(result)}\n`);
