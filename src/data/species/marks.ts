/** The patterns on the wing cases, the only difference between the species of a genus. Drawn inside their outline. */
import type { Random } from '../../shared/random.js';
import type { Pattern, Species } from './traits.js';

/** SVG shapes in the animal's frame, to be clipped by `outline`; `random` shakes sizes and places a little. */
export function marks({ genus, pattern }: Species, outline: string, colour: string, random: Random): string {
  const shake = (value: number, by = 0.04) => (value + random.uniform(-by, by)).toFixed(3);
  const width = genus.breadth;
  const spots = (rows: readonly number[], radius: number) =>
    [-1, 1]
      .flatMap((side) =>
        rows.map((y) => `<circle cx="${shake(side * 0.5 * width)}" cy="${shake(y)}" r="${shake(radius, 0.02)}"/>`),
      )
      .join('');
  const lines = (columns: readonly number[], thickness: number) =>
    columns
      .map(
        (x) =>
          `<path d="M${shake(x * width, 0.02)} -0.5Q${shake(x * width * 1.3, 0.02)} 0.3 ${shake(x * width * 0.6, 0.02)} 1.1" ${stroke(thickness)}/>`,
      )
      .join('');
  const bands = (rows: readonly number[], thickness: number) =>
    rows.map((y) => `<path d="M-1 ${shake(y)}L1 ${shake(y)}" ${stroke(thickness)}/>`).join('');
  const stroke = (thickness: number) => `fill="none" stroke="${colour}" stroke-width="${shake(thickness, 0.015)}"`;

  const shapes: Record<Pattern, () => string> = {
    bipunctata: () => spots([0.22], 0.17),
    quadripunctata: () => spots([-0.02, 0.48], 0.15),
    sexpunctata: () => spots([-0.16, 0.2, 0.56], 0.12),
    ocellata: () =>
      [-1, 1]
        .map((side) => `<circle cx="${shake(side * 0.5 * width)}" cy="${shake(0.22)}" r="0.17" ${stroke(0.1)}/>`)
        .join(''),
    vittata: () => lines([-0.5, 0.5], 0.17),
    lineata: () => lines([-0.68, -0.3, 0.3, 0.68], 0.08),
    marginata: () => `<path d="${outline}" ${stroke(0.42 * width)}/>`,
    apicalis: () => `<rect x="-1" y="${shake(0.42)}" width="2" height="1"/>`,
    unifasciata: () => bands([0.2], 0.3),
    trifasciata: () => bands([-0.14, 0.24, 0.62], 0.14),
    angulata: () =>
      [-0.05, 0.4]
        .map((y) => `<path d="M-0.8 ${shake(y + 0.36)}L0 ${shake(y)}L0.8 ${shake(y + 0.36)}" ${stroke(0.14)}/>`)
        .join(''),
    cruciata: () => `<path d="M-0.8 ${shake(0.2)}H0.8M0 -0.5V1" ${stroke(0.17)}/>`,
  };
  return `<g fill="${colour}">${shapes[pattern]()}</g>`;
}
