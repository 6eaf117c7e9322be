/** Registers the plain decompositions of all fused kernels on a backend that computes by itself (cpu, tensorflow). */
import tf = require('@tensorflow/tfjs');

import { decomposedAttention, decomposedAttentionGrad } from './attention.js';
import type { Decomposition, FusedKernel } from './fused-kernel.js';
import { decomposedGelu, decomposedGeluGrad } from './gelu.js';
import { decomposedGroupedAttention, decomposedGroupedAttentionGrad } from './grouped-attention.js';
import { decomposedLayerNorm, decomposedLayerNormGrad } from './layer-norm.js';
import { decomposedLinear } from './linear.js';
import { decomposedLowRankLinear } from './low-rank-linear.js';
import { decomposedQuantisedLinear, decomposedQuantisedLinearGrad } from './quantised-linear.js';
import { decomposedRmsNorm, decomposedRmsNormGrad } from './rms-norm.js';
import { decomposedRotary } from './rotary.js';
import { decomposedSwiGlu, decomposedSwiGluGrad } from './swiglu.js';

const decompositions: Record<FusedKernel, Decomposition> = {
  EstaLinear: decomposedLinear,
  EstaLowRankLinear: decomposedLowRankLinear,
  EstaLayerNorm: decomposedLayerNorm,
  EstaLayerNormGrad: decomposedLayerNormGrad,
  EstaGelu: decomposedGelu,
  EstaGeluGrad: decomposedGeluGrad,
  EstaAttention: decomposedAttention,
  EstaAttentionGrad: decomposedAttentionGrad,
  EstaRmsNorm: decomposedRmsNorm,
  EstaRmsNormGrad: decomposedRmsNormGrad,
  EstaRotary: decomposedRotary,
  EstaSwiGlu: decomposedSwiGlu,
  EstaSwiGluGrad: decomposedSwiGluGrad,
  EstaGroupedAttention: decomposedGroupedAttention,
  EstaGroupedAttentionGrad: decomposedGroupedAttentionGrad,
  EstaQuantisedLinear: decomposedQuantisedLinear,
  EstaQuantisedLinearGrad: decomposedQuantisedLinearGrad,
};

/** Safe to call again. @param backendName e.g. `cpu` or `tensorflow` */
export function registerDecompositions(backendName: string): void {
  for (const [kernelName, decompose] of Object.entries(decompositions)) {
    if (tf.getKernel(kernelName, backendName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      // Each op of this folder calls its kernel with the inputs and attributes that stand in its decomposition.
      kernelFunc: ({ inputs, attrs }) => tf.tidy(() => decompose(inputs as never, attrs as never)),
    });
  }
}
