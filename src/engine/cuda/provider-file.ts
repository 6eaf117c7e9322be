/** What a provider's library is, read from the library itself. */
import { readFile } from 'node:fs/promises';
import { RequestError } from '../../shared/errors.js';
import { type CudaVersion, cudaVersions } from './builds.js';

export interface ProviderFile {
  /** Version of ONNX Runtime. */
  readonly runtime: string;
  readonly cuda: CudaVersion;
}

/**
 * The library holds its version as text, and the name of the cuBLAS that it is linked to.
 * @param runtimes versions that could serve
 * @throws RequestError where it holds none of them
 */
export async function readProvider(file: string, runtimes: readonly string[]): Promise<ProviderFile> {
  const bytes = await readFile(file);
  const holds = (text: string) => bytes.includes(`\0${text}\0`, 0, 'latin1');
  const runtime = runtimes.find(holds);
  const cuda = cudaVersions.find((version) => holds(`libcublas.so.${version}`));
  if (runtime && cuda) return { runtime, cuda };
  throw new RequestError(
    runtime
      ? `${file} is linked to no cuBLAS of CUDA ${cudaVersions.join(' or ')}`
      : `${file} is no CUDA provider of ONNX Runtime ${runtimes.join(' or ')}`,
    'The provider has to be of exactly the version of the library that loads it.',
  );
}
