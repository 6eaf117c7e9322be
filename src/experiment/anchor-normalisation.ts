/** An experiment that leaves out how images are normalised takes it from the checkpoints of its anchors. */
import { type Experiment, isTextExperiment } from '../config/schema/experiment.js';
import type { Normalisation } from '../models/family.js';
import { inspectNetwork } from '../models/pretrained/load-network.js';
import { RequestError } from '../shared/errors.js';
import { architecturesOf } from './space.js';

/**
 * The experiment with `preprocessing.mean` and `std` where the anchors were pretrained with other values than their
 * architecture's; the same experiment where nothing is to be added.
 * @param say is told once what a user should know of the checkpoints
 * @throws RequestError for checkpoints that cannot be used, and for anchors that differ
 */
export async function withAnchorNormalisation(
  experiment: Experiment,
  say: (note: string) => void,
): Promise<Experiment> {
  if (isTextExperiment(experiment)) return experiment;
  const { mean, std } = experiment.preprocessing;
  const architectures = architecturesOf(experiment.anchors, experiment.preprocessing.crop);
  const found: { name: string; known: Normalisation; published: Normalisation }[] = [];
  const notes = new Set<string>();
  for (const [index, architecture] of architectures.entries()) {
    const { name, checkpoint } = experiment.anchors[index]!;
    const about = await inspectNetwork(checkpoint, architecture);
    for (const note of about.notes) notes.add(note);
    if (about.assumed && !(mean && std)) notes.add(about.assumed);
    if (architecture.input.kind !== 'images' || !about.preprocessing) continue;
    found.push({ name, known: architecture.input.preprocessing, published: about.preprocessing });
  }
  for (const note of notes) say(note);
  const [first] = found;
  if (!first || (mean && std)) return experiment;
  if (!found.every(({ published }) => same(published, first.published))) throw different(found);
  if (same(first.published, first.known)) return experiment;
  const { published } = first;
  const preprocessing = {
    ...experiment.preprocessing,
    mean: mean ?? [...published.mean],
    std: std ?? [...published.std],
  };
  say(`images are normalised as the anchors were pretrained: ${normalisationText(published)}`);
  return { ...experiment, preprocessing };
}

function same(one: Normalisation, other: Normalisation): boolean {
  return String([one.mean, one.std]) === String([other.mean, other.std]);
}

function different(found: readonly { readonly name: string; readonly published: Normalisation }[]): RequestError {
  const each = found.map(({ name, published }) => `${name}: ${normalisationText(published)}`);
  return new RequestError(
    `preprocessing: the anchors were pretrained with different normalisations: ${each.join('; ')}`,
    'All anchors read the same images: choose anchors of one publisher, or set preprocessing.mean and preprocessing.std.',
  );
}

/** For messages. */
export function normalisationText({ mean, std }: Normalisation): string {
  return `mean ${mean.join(', ')}, std ${std.join(', ')}`;
}
