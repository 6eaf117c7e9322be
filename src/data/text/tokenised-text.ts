/** The label of a token that is not learned. */
export const ignoredLabel = -100;

export interface TokenisedText {
  readonly ids: readonly number[];
  /** As many: the ids themselves, or `ignoredLabel`. The label of a token is what the token before it has to predict. */
  readonly labels: readonly number[];
}
