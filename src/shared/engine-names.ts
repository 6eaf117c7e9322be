/** Names of what can compute. Loads nothing, so that commands can list them in their help. */
export const engineNames = ['onnxruntime', 'tensorflow'] as const;
export const engineChoices = ['auto', ...engineNames] as const;
export const devices = ['cpu', 'cuda', 'webgpu'] as const;

export type EngineName = (typeof engineNames)[number];
export type EngineChoice = (typeof engineChoices)[number];
/** Where an engine computes. */
export type Device = (typeof devices)[number];
