/** The anchors of an experiment on text as shapes, by name or by `config.json`, and the stitches between them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AnchorConfig, TextExperiment } from '../../config/schema/experiment.js';
import { type LlamaArchitecture, llamaArchitecture } from '../../models/llama/architecture.js';
import { type LlamaConfig, llamaConfigFrom } from '../../models/llama/config.js';
import { type ProjectionName, projectionModules } from '../../models/llama/tensors.js';
import { llamaNamed } from '../../models/llama/variants.js';
import { RequestError } from '../../shared/errors.js';
import { buildStitchSpace, type StitchSpace } from '../../stitching/space/stitch-space.js';

/** The architecture that `config.json` in the folder of the checkpoint describes. */
export const describedByFolder = 'llama';

/**
 * The anchors for texts of `text.cutoff` tokens.
 * @throws RequestError for unknown architectures, and for anchors of several vocabularies
 */
export function languageArchitectures({ anchors, adaptation, text }: TextExperiment): LlamaArchitecture[] {
  const targets = text.targets.map(projectionNamed);
  const configs = anchors.map(configOf);
  const other = configs.findIndex(({ vocabulary }) => vocabulary !== configs[0]!.vocabulary);
  if (other >= 0) {
    const received = anchors.map(({ name }, index) => `${name} (${configs[index]!.vocabulary})`).join(', ');
    throw new RequestError(
      `anchors: expected language models with one vocabulary, received ${received}`,
      'A stitch reads the tokens of one anchor and writes those of the other: choose models of one family.',
    );
  }
  const short = configs.findIndex(({ contextLength }) => contextLength < text.cutoff);
  if (short >= 0) {
    throw new RequestError(
      `text.cutoff: expected at most ${configs[short]!.contextLength}, what anchor ${anchors[short]!.name} can see, received ${text.cutoff}`,
    );
  }
  return configs.map((config, index) => {
    const rank = adaptation.ranks[index]!;
    const name = `${anchors[index]!.architecture} (${anchors[index]!.name})`;
    return llamaArchitecture(name, config, text.cutoff, { targets, scale: rank > 0 ? text.alpha / rank : 1 });
  });
}

/** Stitches between them: by the nearest rule where depths differ (SN-Net), else by the sliding window. */
export function languageSpace(experiment: TextExperiment): {
  readonly architectures: readonly LlamaArchitecture[];
  readonly space: StitchSpace;
} {
  const architectures = languageArchitectures(experiment);
  const shapes = architectures.map(({ variant: { width, depth } }, index) => ({
    name: experiment.anchors[index]!.name,
    ...{ width, depth },
  }));
  const isPaired = shapes.every(({ depth }) => depth === shapes[0]!.depth);
  const { kernel, stride } = experiment.stitching;
  const space = buildStitchSpace(shapes, isPaired ? { kernel, stride } : { pairing: 'unpaired' });
  return { architectures, space };
}

function configOf({ name, architecture, checkpoint }: AnchorConfig): LlamaConfig {
  if (architecture !== describedByFolder) return llamaNamed(architecture);
  const file = path.join(checkpoint, 'config.json');
  try {
    return llamaConfigFrom(JSON.parse(readFileSync(file, 'utf8')), file);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError(
      `anchor ${name}: architecture ${describedByFolder} is what the checkpoint says, and ${file} cannot be read`,
      'Give the folder of the model as its checkpoint, or name its architecture, such as llama_7b.',
    );
  }
}

/** q_proj -> query */
function projectionNamed(target: string): ProjectionName {
  const names = Object.keys(projectionModules) as ProjectionName[];
  return names.find((name) => projectionModules[name].endsWith(`.${target}`))!;
}
