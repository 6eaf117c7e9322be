/** Names of what can compute. Loads nothing, so that commands can list them in their help. */
export const engineNames = ['onnxruntime', 'tensorflow', 'nvidia'] as const;
export const engineChoices = ['auto', ...engineNames] as const;
export const devices = ['cpu', 'cuda', 'webgpu'] as const;

export type EngineName = (typeof engineNames)[number];
export type EngineChoice = (typeof engineChoices)[number];
/** What matrix products are computed in; see training.precision. */
export const precisions = ['float32', 'tf32', 'mixed'] as const;
export type Precision = (typeof precisions)[number];
/** Where an engine computes. */
export type Device = (typeof devices)[number];
