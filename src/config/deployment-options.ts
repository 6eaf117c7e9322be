/** What exported files can be. Loads nothing, so that commands can list it in their help. */
export const operatorSets = ['standard', 'onnxruntime'] as const;

/**
 * Which operators a file may use: those of the ONNX standard, version 18, alone, or also ONNX Runtime's fused ones
 * (com.microsoft).
 */
export type OperatorSet = (typeof operatorSets)[number];

export const precisions = ['float32', 'float16', 'int8'] as const;

/** Of weight matrices and filters in a file. */
export type Precision = (typeof precisions)[number];

export const fileFormats = ['onnx', 'safetensors', 'peft'] as const;

/** What `esta export` writes; `peft`: adapters of language models. */
export type FileFormat = (typeof fileFormats)[number];
