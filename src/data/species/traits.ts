/**
 * The invented beetles of the drawn data set. A genus fixes the build: outline, head, antennae, legs; the species of a
 * genus differ in the pattern on the wing cases alone. Colours belong to no species. Telling them apart is fine-grained
 * recognition: the build is shared within a genus, the pattern is shared across genera.
 */

/** Lengths are in units of half a body. */
export interface Genus {
  readonly name: string;
  /** half the width of the wing cases */
  readonly breadth: number;
  /** where they are broadest, from -0.1 (at the shoulders) to 0.6 (near the tail) */
  readonly belly: number;
  /** how blunt the tail is, from 0 (pointed) to 1 (square) */
  readonly bluntness: number;
  /** half the width of the neck shield, of its front and its rear */
  readonly neck: readonly [front: number, rear: number];
  readonly head: 'round' | 'snout' | 'pincers' | 'horn';
  readonly antennae: 'whip' | 'club' | 'comb' | 'elbow';
  readonly legs: 'short' | 'long' | 'oars';
}

const genera: readonly Genus[] = [
  genus('Rotundella', 0.66, 0.25, 0.75, [0.28, 0.42], 'round', 'club', 'short'),
  genus('Longicornia', 0.34, 0.05, 0.45, [0.22, 0.26], 'round', 'whip', 'long'),
  genus('Cervatus', 0.5, 0.1, 0.6, [0.46, 0.46], 'pincers', 'elbow', 'long'),
  genus('Rostrella', 0.48, 0.45, 0.35, [0.16, 0.34], 'snout', 'elbow', 'short'),
  genus('Natator', 0.56, 0.3, 0.15, [0.3, 0.52], 'round', 'whip', 'oars'),
  genus('Monoceros', 0.6, 0.2, 0.9, [0.38, 0.56], 'horn', 'comb', 'short'),
  genus('Elateria', 0.36, 0.0, 0.1, [0.3, 0.36], 'round', 'comb', 'short'),
  genus('Silphana', 0.58, 0.5, 0.95, [0.34, 0.5], 'pincers', 'club', 'oars'),
  genus('Cordatus', 0.62, -0.05, 0.1, [0.2, 0.36], 'snout', 'club', 'long'),
  genus('Cylindra', 0.38, 0.3, 1, [0.36, 0.38], 'horn', 'whip', 'long'),
];

/** Latin names of the patterns; neighbours in the list look alike. */
export const patterns = [
  'bipunctata',
  'quadripunctata',
  'sexpunctata',
  'ocellata',
  'vittata',
  'lineata',
  'marginata',
  'apicalis',
  'unifasciata',
  'trifasciata',
  'angulata',
  'cruciata',
] as const;
export type Pattern = (typeof patterns)[number];

export interface Species {
  readonly genus: Genus;
  readonly pattern: Pattern;
}

const speciesPerGenus = 4;

/** Genera times patterns. */
export const maximumSpecies = genera.length * patterns.length;

/**
 * `count` species, from number `from` on: four at a time from one genus, with four neighbouring patterns, so that the nearest
 * relatives look most alike. The next genus continues with other patterns.
 */
export function speciesFrom(from: number, count: number): Species[] {
  return Array.from({ length: count }, (_, position) => {
    const index = from + position;
    const block = Math.floor(index / speciesPerGenus);
    const genusIndex = block % genera.length;
    const round = Math.floor(block / genera.length);
    // every third genus begins two patterns later, so that groups of neighbours overlap across genera
    const first = speciesPerGenus * (genusIndex + round) + 2 * Math.floor(genusIndex / 3);
    const pattern = patterns[(first + (index % speciesPerGenus)) % patterns.length]!;
    return { genus: genera[genusIndex]!, pattern };
  });
}

/** `Rotundella bipunctata`. */
export function speciesName({ genus, pattern }: Species): string {
  return `${genus.name} ${pattern}`;
}

function genus(
  name: string,
  breadth: number,
  belly: number,
  bluntness: number,
  neck: readonly [number, number],
  head: Genus['head'],
  antennae: Genus['antennae'],
  legs: Genus['legs'],
): Genus {
  return { name, breadth, belly, bluntness, neck, head, antennae, legs };
}
