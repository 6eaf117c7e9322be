/** Everything about a drawing that says nothing about the species: pose, colours, light, ground and what lies on it. */
import type { Random } from '../../shared/random.js';

export interface Scene {
  /** degrees */
  readonly rotation: number;
  /** half a body, as a share of the image's side */
  readonly scale: number;
  /** centre of the animal, from -1 to 1 */
  readonly centre: readonly [x: number, y: number];
  /** foreshortening across the body, 1 is none */
  readonly squeeze: number;
  readonly body: string;
  readonly shield: string;
  readonly marks: string;
  readonly limbs: string;
  readonly ground: readonly [string, string];
  /** direction of the light, in degrees */
  readonly light: number;
  /** how strong light and shadow are, from 0 to 1 */
  readonly contrast: number;
  readonly litter: readonly Litter[];
}

/** A leaf, blade or pebble. */
export interface Litter {
  readonly kind: 'leaf' | 'blade' | 'pebble';
  readonly colour: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly rotation: number;
  /** above the animal rather than below */
  readonly above: boolean;
}

/**
 * Draws a scene. Hues follow nothing; marks are darker than the body, which is darker than the ground, so that networks
 * as small as the embedded ones can learn the patterns from some dozens of images.
 */
export function drawScene(random: Random): Scene {
  const hue = () => random.uniform(0, 360);
  const groundLightness = random.uniform(66, 88);
  const groundHue = hue();
  const bodyLightness = groundLightness - random.uniform(20, 36);
  const marksLightness = Math.max(6, bodyLightness - 38);
  const colour = (hueOf: number, lightness: number, low = 20, high = 85) =>
    `hsl(${hueOf.toFixed(0)},${random.uniform(low, high).toFixed(0)}%,${lightness.toFixed(0)}%)`;
  const bodyHue = hue();
  return {
    rotation: random.uniform(-20, 20),
    scale: random.uniform(0.36, 0.42),
    centre: [random.uniform(-0.08, 0.08), random.uniform(-0.02, 0.12)],
    squeeze: random.uniform(0.86, 1.06),
    body: colour(bodyHue, bodyLightness),
    shield: colour(random.uniform() < 0.5 ? bodyHue : hue(), bodyLightness + random.uniform(-12, 12)),
    marks: colour(hue(), marksLightness),
    limbs: colour(hue(), random.uniform(6, 26), 5, 40),
    ground: [
      colour(groundHue, groundLightness, 10, 60),
      colour(groundHue + random.uniform(-40, 40), groundLightness, 10, 60),
    ],
    light: random.uniform(0, 360),
    contrast: random.uniform(0.2, 0.6),
    litter: Array.from({ length: 2 + random.integer(4) }, () => drawLitter(random, groundLightness)),
  };
}

function drawLitter(random: Random, groundLightness: number): Litter {
  const kind = (['leaf', 'blade', 'pebble'] as const)[random.integer(3)]!;
  const lightness = Math.min(95, Math.max(5, groundLightness + random.uniform(-16, 16)));
  return {
    kind,
    colour: `hsl(${random.integer(360)},${(10 + random.integer(50)).toFixed(0)}%,${lightness.toFixed(0)}%)`,
    x: random.uniform(-1, 1),
    y: random.uniform(-1, 1),
    size: random.uniform(0.15, 0.5),
    rotation: random.uniform(0, 360),
    above: kind === 'blade' && random.uniform() < 0.15,
  };
}
