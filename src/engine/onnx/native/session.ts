/** Programs that ONNX Runtime's C API computes, on a thread of its own: JavaScript goes on meanwhile. */
import type { Device, Precision } from '../../../shared/engine-names.js';
import type { FileBeside } from '../programs/backend.js';
import { addressesOf, type Handle, type NativeApi, TextList } from './api.js';

export interface NativeSessionOptions {
  readonly device: Exclude<Device, 'webgpu'>;
  /** Of matrix products, on CUDA. */
  readonly precision: Precision;
  /** Threads of one operator, on the CPU. */
  readonly threads: number;
  /** Configuration entries, without `session.` before their names. */
  readonly entries: Readonly<Record<string, string>>;
  /** Constants of the model that it does not hold itself; ONNX Runtime copies them. */
  readonly beside?: readonly FileBeside[];
}

/** ORT_LOGGING_LEVEL_FATAL, ORT_DISABLE_ALL */
const [fatal, noOptimization] = [4, 0];

export class NativeSession {
  private readonly runs = new Set<Promise<void>>();
  private isReleased = false;

  private constructor(
    private readonly api: NativeApi,
    readonly handle: Handle,
    /** Names. */
    private readonly inputs: TextList,
    private readonly outputs: TextList,
  ) {}

  /**
   * @param names of the inputs and outputs of the model, in the order in which `run` takes them
   * @throws Error with ONNX Runtime's message
   */
  static async create(
    api: NativeApi,
    model: Uint8Array,
    names: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
    options: NativeSessionOptions,
  ): Promise<NativeSession> {
    const settings = settingsOf(api, options);
    const made = new BigUint64Array(1);
    const files = [...(options.beside ?? [])];
    try {
      if (files.length > 0) addFiles(api, settings, files);
      await api.callAside('createSessionFromArray', api.env, model, model.byteLength, settings, made);
    } finally {
      files.length = 0; // until now nobody else may have referred to their contents
      api.release('sessionOptions', settings);
    }
    return new NativeSession(api, made[0]!, new TextList(names.inputs), new TextList(names.outputs));
  }

  /**
   * @param inputs tensors on the device, or on the host: those are copied there
   * @param outputs tensors of the right shapes that the results are written into, on the device or on the host
   * @throws Error with ONNX Runtime's message, which names the node
   */
  async run(inputs: readonly Handle[], outputs: readonly Handle[]): Promise<void> {
    if (this.isReleased) throw new Error('the program was released before it ran');
    const given = BigUint64Array.from(inputs);
    const written = BigUint64Array.from(outputs);
    const from = [this.inputs.addresses, given, given.length] as const;
    const to = [this.outputs.addresses, written.length, written] as const;
    const run = this.api.callAside('run', this.handle, null, ...from, ...to);
    this.runs.add(run);
    try {
      await run;
    } finally {
      this.runs.delete(run);
    }
  }

  /** Runs under way end first. */
  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    await Promise.allSettled(this.runs);
    this.api.release('session', this.handle);
  }
}

/** OrtSessionOptions. */
function settingsOf(api: NativeApi, { device, precision, threads, entries }: NativeSessionOptions): Handle {
  const settings = api.make('createSessionOptions');
  try {
    // What a traced graph leaves to optimise costs more to find (0.15 s of 0.5 s a stitch) than it gives back.
    api.call('setGraphOptimization', settings, noOptimization);
    api.call('disableCpuMemArena', settings);
    api.call('disableMemPattern', settings);
    api.call('setIntraOpThreads', settings, threads);
    api.call('setInterOpThreads', settings, 1);
    api.call('setLogSeverity', settings, fatal);
    for (const [key, value] of Object.entries(entries)) api.call('addConfigEntry', settings, `session.${key}`, value);
    if (device === 'cuda') appendCuda(api, settings, { use_tf32: precision === 'float32' ? '0' : '1' });
    return settings;
  } catch (error) {
    api.release('sessionOptions', settings);
    throw error;
  }
}

/** Contents are read when the session is created. */
function addFiles(api: NativeApi, settings: Handle, files: readonly FileBeside[]): void {
  const names = new TextList(files.map(({ path }) => path));
  const contents = addressesOf(files.map(({ data }) => data));
  const lengths = BigUint64Array.from(files, ({ data }) => BigInt(data.byteLength));
  api.call('addFilesInMemory', settings, names.addresses, contents, lengths, files.length);
}

/** Adds the provider. Of its options, `enable_cuda_graph` needs inputs and outputs that stay where they are. */
function appendCuda(api: NativeApi, settings: Handle, options: Readonly<Record<string, string>>): void {
  const provider = api.make('createCudaOptions');
  try {
    const [keys, values] = [new TextList(Object.keys(options)), new TextList(Object.values(options))];
    api.call('updateCudaOptions', provider, keys.addresses, values.addresses, Object.keys(options).length);
    api.call('appendCuda', settings, provider);
  } finally {
    api.release('cudaOptions', provider);
  }
}
