/** Registers the plain compositions of all fused kernels on a backend that computes by itself (cpu, tensorflow). */
import * as tf from '@tensorflow/tfjs';
import { composedAttention, composedAttentionGrad } from './attention.js';
import type { Composition, FusedKernel } from './fused-kernel.js';
import { composedGelu, composedGeluGrad } from './gelu.js';
import { composedGroupedAttention, composedGroupedAttentionGrad } from './grouped-attention.js';
import { composedLayerNorm, composedLayerNormGrad } from './layer-norm.js';
import { composedLinear } from './linear.js';
import { composedLowRankLinear } from './low-rank-linear.js';
import { composedRmsNorm, composedRmsNormGrad } from './rms-norm.js';
import { composedRotary } from './rotary.js';
import { composedSwiGlu, composedSwiGluGrad } from './swiglu.js';

const compositions: Record<FusedKernel, Composition> = {
  EstaLinear: composedLinear,
  EstaLowRankLinear: composedLowRankLinear,
  EstaLayerNorm: composedLayerNorm,
  EstaLayerNormGrad: composedLayerNormGrad,
  EstaGelu: composedGelu,
  EstaGeluGrad: composedGeluGrad,
  EstaAttention: composedAttention,
  EstaAttentionGrad: composedAttentionGrad,
  EstaRmsNorm: composedRmsNorm,
  EstaRmsNormGrad: composedRmsNormGrad,
  EstaRotary: composedRotary,
  EstaSwiGlu: composedSwiGlu,
  EstaSwiGluGrad: composedSwiGluGrad,
  EstaGroupedAttention: composedGroupedAttention,
  EstaGroupedAttentionGrad: composedGroupedAttentionGrad,
};

/** Safe to call again. @param backendName e.g. `cpu` or `tensorflow` */
export function registerComposedKernels(backendName: string): void {
  for (const [kernelName, compose] of Object.entries(compositions)) {
    if (tf.getKernel(kernelName, backendName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => tf.tidy(() => compose(inputs as Record<string, tf.Tensor>, attrs as never)),
    });
  }
}
