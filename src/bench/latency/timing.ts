/** Times of an exported network, warm. */
import { type ExportedFile, openExported, type Surroundings } from './exported-file.js';

/** Runs before the first that counts: the first allocates, the second finds caches as later ones do. */
const warmUps = 2;
/** A visit takes about so long, between the fewest and the most runs. */
const visitMilliseconds = 250;
const fewestRuns = 3;
const mostRuns = 25;

/** Opens the file, warms it up, and times some runs. @returns milliseconds of each */
export async function visit(file: ExportedFile, surroundings: Surroundings): Promise<number[]> {
  const network = await openExported(file, surroundings);
  try {
    let last = 0;
    for (let run = 0; run < warmUps; run++) last = await milliseconds(network.run);
    const runs = Math.min(mostRuns, Math.max(fewestRuns, Math.round(visitMilliseconds / last)));
    const times: number[] = [];
    while (times.length < runs) times.push(await milliseconds(network.run));
    return times;
  } finally {
    await network.release();
  }
}

async function milliseconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
