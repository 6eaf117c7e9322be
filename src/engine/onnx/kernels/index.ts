/** Registers every kernel of the tracing backend. */
import { registerTracingKernels } from '../tracer.js';
import { attentionKernels } from './attention.js';
import { convolutionKernels } from './convolution.js';
import { elementwiseKernels } from './elementwise.js';
import { fusedKernels } from './fused.js';
import { languageKernels } from './language.js';
import { matmulKernels } from './matmul.js';
import { quantisedKernels } from './quantised.js';
import { reductionKernels } from './reduction.js';
import { shapeKernels } from './shape.js';

registerTracingKernels({
  ...elementwiseKernels,
  ...reductionKernels,
  ...shapeKernels,
  ...matmulKernels,
  ...convolutionKernels,
  ...fusedKernels,
  ...attentionKernels,
  ...languageKernels,
  ...quantisedKernels,
});
