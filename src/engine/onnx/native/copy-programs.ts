/** Copies between host and device: programs that pass on what they read. ONNX Runtime's API copies only for plug-in providers. */
import type { NdArray } from '../../../shared/arrays.js';
import { encodeModel } from '../model-proto.js';
import type { Handle, NativeApi } from './api.js';
import { NativeSession, type NativeSessionOptions } from './session.js';

type ElementType = NdArray['dtype'];

export class CopyPrograms {
  private readonly programs = new Map<ElementType, Promise<NativeSession>>();

  constructor(
    private readonly api: NativeApi,
    private readonly options: NativeSessionOptions,
  ) {}

  /** The program for tensors of any shape of a type. */
  program(dtype: ElementType): Promise<NativeSession> {
    const program = this.programs.get(dtype) ?? this.create(dtype);
    this.programs.set(dtype, program);
    return program;
  }

  /** Copies the elements of a tensor to another of its shape, wherever they are. */
  async copy(dtype: ElementType, from: Handle, to: Handle): Promise<void> {
    await (await this.program(dtype)).run([from], [to]);
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).release();
    this.programs.clear();
  }

  private create(dtype: ElementType): Promise<NativeSession> {
    const model = encodeModel({
      nodes: [{ operator: 'Identity', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
      constants: [],
      inputs: [{ name: 'x', dtype, shape: 'any' }],
      outputs: [{ name: 'y', dtype, shape: 'any' }],
    });
    return NativeSession.create(this.api, model, { inputs: ['x'], outputs: ['y'] }, this.options);
  }
}
