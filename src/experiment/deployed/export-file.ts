/** `esta export`: writes a deployed stitch as a file for other programs, runs it, and says beside it what it is. */
import { createOnnxEngine } from '../../engine/onnx/engine.js';
import { openModelFile } from '../../engine/onnx/files/model-file.js';
import { writeAtomic, writeJson } from '../../shared/files.js';
import type { Progress } from '../../shared/progress.js';
import type { DeployedNetwork } from './deployed-network.js';
import { type Description, describe } from './description.js';
import { type FileOptions, type OnnxModel, onnxModelOf } from './export-network.js';
import { descriptionOf, refuseOtherName, refuseToReplaceOther } from './file-name.js';
import { spread, testImagesOf } from './test-images.js';
import { accuracyOfFile, refuseOverflow, type Verification, verify } from './verification.js';

/** Test images that are compared one by one. */
const comparedImages = 16;

export interface ExportOptions extends FileOptions {
  /** Images at once; left out: any number. */
  readonly batch?: number | undefined;
  readonly progress: Progress;
  /** Where drawn images are kept; default that of runs. */
  readonly cacheFolder?: string;
}

/** What stands in the JSON file beside. */
export interface ExportedFile extends Description, Required<FileOptions> {
  readonly file: string;
  readonly description: string;
  readonly bytes: number;
  readonly input: { readonly images: OnnxModel['images']; readonly type: 'float32'; readonly values: 'RGB, 0 to 255' };
  readonly output: { readonly logits: readonly [number | 'batch', number] };
  /** The file beside `esta predict`. */
  readonly comparison: Verification;
  /** Percent of all test images, measured with the file itself; left out for float32 and where there are none. */
  readonly accuracy?: number;
}

/**
 * @param file name of the ONNX file; what describes it has the same name with `.json`
 * @throws RequestError where the name is that of another kind of file, or that JSON file is there and something else
 */
export async function exportFile(
  network: DeployedNetwork,
  file: string,
  { batch, progress, cacheFolder, operators = 'onnxruntime', precision = 'float32' }: ExportOptions,
): Promise<ExportedFile> {
  refuseOtherName(file, '.onnx');
  await refuseToReplaceOther(file);
  const { model, images } = onnxModelOf(network, batch, { operators, precision });
  await writeAtomic(file, model);
  const found = await testImagesOf(network, cacheFolder);
  if ('absent' in found) progress.line(`The file is compared on random pixels: ${found.absent}.`);
  const samples = 'samples' in found ? found.samples : [];
  const opened = await openModelFile(file, batch);
  const engine = await createOnnxEngine();
  try {
    const comparison = await verify(opened, network, spread(samples, comparedImages), engine);
    refuseOverflow(file, comparison.largestDifference);
    const isMeasured = precision !== 'float32' && samples.length > 0;
    if (isMeasured && 'changed' in found) {
      progress.line(`Accuracy of the file and of the run are of other images: ${found.changed}.`);
    }
    const accuracy = isMeasured ? await accuracyOfFile(opened, network, samples, progress) : undefined;
    const exported: ExportedFile = {
      file,
      description: descriptionOf(file),
      bytes: model.length,
      input: { images, type: 'float32', values: 'RGB, 0 to 255' },
      output: { logits: [images[0] as number | 'batch', network.classes.length] },
      operators,
      precision,
      ...describe(network),
      comparison,
      ...(accuracy !== undefined && { accuracy }),
    };
    await writeJson(exported.description, exported);
    return exported;
  } finally {
    await opened.close();
    await engine.dispose();
  }
}

/** `largest difference of a logit 1.2e-6 (logits up to 5.1), same class in 16 of 16 test images`. */
export function comparisonText({ images, of, largestDifference, largestLogit, sameClass }: Verification): string {
  const logits = `largest difference of a logit ${largestDifference.toPrecision(2)} (logits up to ${largestLogit.toPrecision(3)})`;
  return `${logits}, same class in ${sameClass} of ${images} ${of === 'test images' ? 'test images' : 'images of random pixels'}`;
}
