/**
 * Published builds of ONNX Runtime's CUDA provider: two libraries that are to lie beside onnxruntime-node's own, of exactly
 * the same version. npm's onnxruntime-node has them for no platform.
 */
import { RequestError } from '../../shared/errors.js';

/** Libraries of the provider. */
export const providerFiles = ['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'] as const;

/** Major versions of CUDA for which ONNX Runtime is built. */
export const cudaVersions = [12, 13] as const;
export type CudaVersion = (typeof cudaVersions)[number];

export interface CudaBuild {
  readonly cuda: CudaVersion;
  /** Version of ONNX Runtime. */
  readonly runtime: string;
  readonly registry: 'npm' | 'NuGet';
  readonly packageName: string;
  readonly packageVersion: string;
  /** Subresource integrity of the archive; left out: what the registry says. */
  readonly integrity?: string;
  /** Oldest NVIDIA driver, as docs.nvidia.com/cuda/cuda-toolkit-release-notes has it (Linux). */
  readonly driver: string;
}

export const cudaBuilds: Readonly<Record<CudaVersion, CudaBuild>> = {
  // What the install script of onnxruntime-node downloads (its script/install-metadata.js).
  12: {
    ...{ cuda: 12, runtime: '1.30.0', registry: 'NuGet', driver: '525.60' },
    ...{ packageName: 'Microsoft.ML.OnnxRuntime.Gpu.Linux', packageVersion: '1.30.0' },
  },
  // The Unity packaging of the official builds (github.com/asus4/onnxruntime-unity): the newest of CUDA 13 on npm.
  13: {
    ...{ cuda: 13, runtime: '1.29.0', registry: 'npm', driver: '580.65' },
    ...{ packageName: 'com.github.asus4.onnxruntime.linux-x64-gpu', packageVersion: '0.4.9' },
    integrity: 'sha512-FopIhNE/Ng+v2X65wVc9clPCBCvhvA53Hxo2U0Kf5fGdVsC7iCA+mZ0KLWggcQAj7TIZ6pNidR4AC10g74Xo6w==',
  },
};

/** @throws RequestError where no provider is built for the machine */
export function requirePlatform(platform: string = `${process.platform} ${process.arch}`): void {
  if (platform === 'linux x64') return;
  throw new RequestError(
    `ONNX Runtime's CUDA provider is published for linux x64, this is ${platform}`,
    '`--device webgpu` computes on a GPU of any maker, on Windows and macOS too, and needs no installation.',
  );
}
