/** The files beside published weights that tell how images are prepared: timm's, Hugging Face's; the first that does counts. */
export const preprocessingFiles = ['config.json', 'preprocessor_config.json'] as const;
