/** Draws one animal of a species in a scene, as SVG. The animal's frame: head at y = -1, tail at y = 1. */
import type { Random } from '../../shared/random.js';
import { marks } from './marks.js';
import { drawScene, type Litter, type Scene } from './scene.js';
import type { Genus, Species } from './traits.js';

/** An SVG document of `size` x `size` pixels. All that varies within a species comes from `random`. */
export function drawSpecies(species: Species, size: number, random: Random): string {
  const scene = drawScene(random);
  const { genus } = species;
  const pose =
    `translate(${scene.centre.join(' ')}) rotate(${fixed(scene.rotation)}) ` +
    `scale(${fixed(2 * scene.scale * scene.squeeze)} ${fixed(2 * scene.scale)})`;
  const outline = wingCases(genus);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="-1 -1 2 2">
<defs>
<linearGradient id="ground" gradientTransform="rotate(${fixed(scene.light)} 0.5 0.5)">
<stop stop-color="${scene.ground[0]}"/><stop offset="1" stop-color="${scene.ground[1]}"/></linearGradient>
<linearGradient id="light" gradientTransform="rotate(${fixed(scene.light - scene.rotation)} 0.5 0.5)">
<stop stop-color="white" stop-opacity="${fixed(scene.contrast)}"/><stop offset="0.5" stop-color="white" stop-opacity="0"/>
<stop offset="0.5" stop-opacity="0"/><stop offset="1" stop-opacity="${fixed(scene.contrast)}"/></linearGradient>
<clipPath id="back"><path d="${outline}"/></clipPath>
</defs>
<rect x="-1" y="-1" width="2" height="2" fill="url(#ground)"/>
${scene.litter
  .filter(({ above }) => !above)
  .map(litter)
  .join('\n')}
<g transform="translate(0.05 0.06)" opacity="${fixed(0.5 * scene.contrast)}"><path transform="${pose}" d="${outline}"/></g>
<g transform="${pose}" stroke-linecap="round" stroke-linejoin="round">
<g fill="none" stroke="${scene.limbs}" stroke-width="0.09">${legs(genus, random)}</g>
<g fill="none" stroke="${scene.limbs}" stroke-width="0.06">${antennae(genus, random)}</g>
${head(genus, scene)}
<path d="${neckShield(genus)}" fill="${scene.shield}" stroke="${scene.limbs}" stroke-width="0.03"/>
<path d="${outline}" fill="${scene.body}" stroke="${scene.limbs}" stroke-width="0.04"/>
<g clip-path="url(#back)">${marks(species, outline, scene.marks, random)}
<path d="M0 -0.4V1" stroke="${scene.limbs}" stroke-width="0.03" opacity="0.7"/></g>
<path d="${outline}" fill="url(#light)"/>
</g>
${scene.litter
  .filter(({ above }) => above)
  .map(litter)
  .join('\n')}
</svg>`;
}

/** Outline of the wing cases, from the shoulders at -0.38 to the tail at 1. */
function wingCases({ breadth, belly, bluntness }: Genus): string {
  const half = (side: 1 | -1) => {
    const x = (value: number) => fixed(side * value);
    const rising = `${x(breadth * 0.75)} -0.42 ${x(breadth)} ${fixed(belly - 0.35)} ${x(breadth)} ${fixed(belly)}`;
    const falling = `${x(breadth)} ${fixed(belly + 0.3 + 0.25 * bluntness)} ${x(breadth * bluntness)} 1 0 1`;
    return `M0 -0.38C${rising}C${falling}L0 -0.38`;
  };
  return `${half(1)}${half(-1)}Z`;
}

function neckShield({ neck: [front, rear] }: Genus): string {
  return (
    `M${fixed(-front)} -0.68Q0 -0.76 ${fixed(front)} -0.68L${fixed(rear)} -0.42` + `Q0 -0.3 ${fixed(-rear)} -0.42Z`
  );
}

function head(genus: Genus, { shield, limbs }: Scene): string {
  const paint = `fill="${shield}" stroke="${limbs}" stroke-width="0.03"`;
  const skull = `<ellipse cy="-0.76" rx="${fixed(0.75 * genus.neck[0])}" ry="0.14" ${paint}/>`;
  switch (genus.head) {
    case 'round':
      return skull;
    case 'snout':
      return `<path d="M-0.16 -0.68Q-0.08 -0.8 -0.06 -1.12H0.06Q0.08 -0.8 0.16 -0.68Z" ${paint}/>`;
    case 'pincers':
      return `${mirrored(`<path d="M0.1 -0.84Q0.34 -0.98 0.12 -1.2" fill="none" stroke="${limbs}" stroke-width="0.09"/>`)}${skull}`;
    case 'horn':
      return `${skull}<path d="M-0.11 -0.78Q-0.02 -0.95 -0.06 -1.25Q0.14 -1.0 0.11 -0.78Z" ${paint}/>`;
  }
}

function antennae({ antennae: form }: Genus, random: Random): string {
  const swing = random.uniform(-0.08, 0.08);
  const x = (value: number) => fixed(value + swing);
  switch (form) {
    case 'whip':
      return mirrored(`<path d="M0.1 -0.84Q${x(0.5)} -1.35 ${x(0.95)} -0.75T${x(1.1)} 0.1"/>`);
    case 'club':
      return mirrored(
        `<path d="M0.12 -0.84L${x(0.42)} -1.12"/><path d="M${x(0.42)} -1.12l0.06 -0.06" stroke-width="0.2"/>`,
      );
    case 'comb':
      return mirrored(
        `<path d="M0.12 -0.84Q${x(0.4)} -0.95 ${x(0.62)} -1.2"/>` +
          `<path d="M${x(0.3)} -0.95l0.16 0.1M${x(0.42)} -1.03l0.18 0.1M${x(0.53)} -1.12l0.18 0.1" stroke-width="0.05"/>`,
      );
    case 'elbow':
      return mirrored(`<path d="M0.1 -0.86L${x(0.5)} -0.9L${x(0.62)} -1.25"/>`);
  }
}

function legs({ breadth, legs: form }: Genus, random: Random): string {
  const reach = { short: 0.28, long: 0.55, oars: 0.42 }[form];
  const side = (direction: 1 | -1) =>
    [-0.32, 0.05, 0.4]
      .map((hip, pair) => {
        const stride = random.uniform(-0.1, 0.1);
        const forward = pair === 0 ? -1 : 1;
        const knee = breadth + 0.45 * reach;
        const kneeY = hip + forward * 0.06 + stride / 2;
        const footY = hip + forward * (0.25 + 0.3 * reach) * (pair === 1 ? 0.4 : 1) + stride;
        const foot = breadth + reach;
        const paddle = form === 'oars' && pair === 2;
        const shin = `M${fixed(direction * knee)} ${fixed(kneeY)}L${fixed(direction * foot)} ${fixed(footY)}`;
        return (
          `<path d="M${fixed(direction * breadth * 0.6)} ${hip}L${fixed(direction * knee)} ${fixed(kneeY)}"/>` +
          `<path d="${shin}"${paddle ? ' stroke-width="0.2"' : ''}/>`
        );
      })
      .join('');
  return side(1) + side(-1);
}

function litter({ kind, colour, x, y, size, rotation }: Litter): string {
  const place = `transform="translate(${fixed(x)} ${fixed(y)}) rotate(${fixed(rotation)}) scale(${fixed(size)})"`;
  switch (kind) {
    case 'leaf':
      return `<path ${place} d="M-1 0Q0 -0.7 1 0Q0 0.7 -1 0Z" fill="${colour}"/>`;
    case 'blade':
      return `<path ${place} d="M-3 0Q0 -0.6 3 0.2" fill="none" stroke="${colour}" stroke-width="0.16"/>`;
    case 'pebble':
      return `<ellipse ${place} rx="0.6" ry="0.45" fill="${colour}"/>`;
  }
}

/** The part and its mirror image. */
function mirrored(part: string): string {
  return `${part}<g transform="scale(-1 1)">${part}</g>`;
}

function fixed(value: number): string {
  return value.toFixed(3);
}
