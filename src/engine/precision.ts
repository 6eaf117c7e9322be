/** In which precision engines compute matrix products. Everything else, and all that is kept, is float32. */
import type { Device, EngineName, Precision } from '../shared/engine-names.js';
import { RequestError } from '../shared/errors.js';

/** Where products are computed: a device of onnxruntime, or one of tensorflow. */
export type Place = Device | 'gpu';

/** NVIDIA's libraries compute in full precision where it is 0. They read it once, when they are loaded. */
const override = 'NVIDIA_TF32_OVERRIDE';

const available: Readonly<Record<Place, readonly Precision[]>> = {
  cpu: ['float32'],
  webgpu: ['float32'],
  cuda: ['float32', 'tf32', 'mixed'],
  gpu: ['float32', 'tf32'],
};

export interface PrecisionRequest {
  readonly engine: EngineName;
  readonly place: Place;
  /** Left out: what the place computes in when nobody asks, TF32 on an NVIDIA card that has it. */
  readonly asked?: Precision | undefined;
  /** Of the card; left out: not known, then it is taken for one of the last years. */
  readonly computeCapability?: number | undefined;
}

/**
 * Settles the precision of a process's engine; call it before the libraries of the device are loaded.
 * @throws RequestError where the place cannot compute in what was asked for
 */
export function settlePrecision(
  { engine, place, asked, computeCapability = 8 }: PrecisionRequest,
  environment: NodeJS.ProcessEnv = process.env,
): Precision {
  const isOff = environment[override] === '0';
  const hasTf32 = computeCapability >= 8;
  const automatic = available[place].includes('tf32') && hasTf32 && !isOff ? 'tf32' : 'float32';
  const precision = asked ?? automatic;
  if (!available[place].includes(precision)) {
    throw new RequestError(
      `training.precision: ${precision} is not what ${engine} computes in on the ${place} (${available[place].join(', ')})`,
      'Leave it out, or add --device cuda on a machine with an NVIDIA card (see esta doctor).',
    );
  }
  if (precision !== 'float32' && !hasTf32) {
    throw new RequestError(
      `training.precision: ${precision} needs an NVIDIA card of compute capability 8.0, this one has ${computeCapability.toFixed(1)}`,
      'Leave it out, or set it to float32.',
    );
  }
  if (precision === 'tf32' && isOff) {
    throw new RequestError(
      `training.precision: tf32 was asked for, and ${override}=0 forbids it`,
      `Unset ${override}, or set training.precision to float32.`,
    );
  }
  // Our own engine tells each product in what to compute.
  if (precision === 'float32' && engine !== 'nvidia' && available[place].includes('tf32')) environment[override] = '0';
  return precision;
}
