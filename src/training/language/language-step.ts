/** One step of training a language model on text, all weights moving: forward, gradients and AdamW as one function. */
import type * as tf from '@tensorflow/tfjs';
import type { TensorFunction } from '../../engine/engine.js';
import type { Architecture } from '../../models/architecture.js';
import { runNetwork } from '../../models/blockwise.js';
import type { NetworkWeights } from '../../models/family.js';
import { gradientsOf } from '../gradients.js';
import { crossEntropy } from '../loss.js';
import { adamW } from '../optimizer.js';
import type { StepState } from '../training-state.js';

export interface LanguageStepInputs<T> {
  readonly state: StepState<NetworkWeights<T>>;
  /** int32 [batch, length], both; loss.ts says which labels are learned. */
  readonly ids: T;
  readonly labels: T;
  /** Learning rate, a scalar. */
  readonly rate: T;
}

export interface LanguageStepOutputs<T> {
  readonly state: StepState<NetworkWeights<T>>;
  /** A scalar. */
  readonly loss: T;
}

export function languageStep(
  architecture: Architecture,
  options: { readonly weightDecay: number },
): TensorFunction<LanguageStepInputs<tf.Tensor>, LanguageStepOutputs<tf.Tensor>> {
  return ({ state, ids, labels, rate }) => {
    const { value, gradients } = gradientsOf(state.parameters, (weights) =>
      crossEntropy(runNetwork(architecture, weights, undefined, ids), labels),
    );
    const { parameters, state: optimizer } = adamW(state.parameters, gradients, state.optimizer, rate, options);
    return { state: { parameters, optimizer }, loss: value };
  };
}
