/** The story of `esta engine install --cuda`: which CUDA, its provider, and whether it computes. */

import { createProgress } from '../../shared/progress.js';
import { probeEngine } from '../doctor/probe.js';
import { type CudaVersion, requirePlatform } from './builds.js';
import { describeDriver } from './driver.js';
import { type CudaInstallation, installCuda } from './install.js';
import { libraryPlaces } from './libraries.js';
import { type CudaReadiness, cudaReadiness, suggestedCuda } from './readiness.js';
import { cudaVariables } from './variables.js';

export interface CudaSetup extends CudaInstallation, Pick<CudaReadiness, 'missing'> {
  /** Whether a program was computed on a card. */
  readonly works: boolean;
  /** For people. */
  readonly text: string;
}

/** @throws RequestError where it cannot be installed; that a card or a library is missing is said in the text */
export async function setUpCuda(
  { cuda, from }: { readonly cuda: CudaVersion | undefined; readonly from: string | undefined },
  announce: (step: string) => void,
): Promise<CudaSetup> {
  requirePlatform();
  const chosen = cuda ?? suggestedCuda(await describeDriver(), libraryPlaces());
  const installed = await installCuda({ cuda: chosen, from, progress: createProgress(process.stderr) }, announce);
  announce('Checking that it computes');
  const { folders, missing } = await cudaReadiness();
  const result = await probeEngine('onnxruntime', 'cuda', { variables: cudaVariables(folders) });
  const what = `ONNX Runtime ${installed.runtime} for CUDA ${installed.cuda}`;
  const state = installed.isNew ? `${what} is installed in ${installed.folder}` : `${what} was installed already`;
  const lacking = missing.map(({ what: piece, remedy }) => `  ${piece}\n  -> ${remedy}`);
  const verdict = result.works
    ? 'It computes: --device cuda, and --engine auto takes it'
    : ['It does not compute yet:', ...(lacking.length > 0 ? lacking : [`  ${result.reason}`])].join('\n');
  return { ...installed, missing, works: result.works, text: `\n${state}.\n${verdict}` };
}
