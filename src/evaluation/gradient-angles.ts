/** Angles between gradients that stitches have for the tensors they share (the paper's Figure 2 and supplement F). */

/** The gradients of one stitch, by the names of the tensors. */
export type StitchGradients = Readonly<Record<string, Float32Array>>;

/**
 * The angle of every pair of stitches, over the tensors that both have, put one behind the other; degrees from 0 to 180.
 * A pair without a common tensor, or one of whose gradients is zero there, has no angle and is left out.
 */
export function pairwiseAngles(gradients: readonly StitchGradients[]): number[] {
  return gradients.flatMap((one, index) =>
    gradients.slice(index + 1).flatMap((other) => {
      const angle = angleBetween(one, other);
      return angle === undefined ? [] : [angle];
    }),
  );
}

function angleBetween(one: StitchGradients, other: StitchGradients): number | undefined {
  let [dot, oneSquare, otherSquare] = [0, 0, 0];
  for (const [name, a] of Object.entries(one)) {
    const b = other[name];
    if (!b) continue;
    for (let index = 0; index < a.length; index++) {
      dot += a[index]! * b[index]!;
      oneSquare += a[index]! ** 2;
      otherSquare += b[index]! ** 2;
    }
  }
  if (oneSquare === 0 || otherSquare === 0) return undefined;
  const cosine = Math.min(1, Math.max(-1, dot / Math.sqrt(oneSquare * otherSquare)));
  return (180 / Math.PI) * Math.acos(cosine);
}
