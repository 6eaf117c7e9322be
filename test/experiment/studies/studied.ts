/** The experiment that the studies of the tests vary. */
import { type Experiment, experimentSchema } from '../../../src/config/schema/experiment.js';

export const experiment = (more: object = {}): Experiment =>
  experimentSchema.parse({
    name: 'base',
    anchors: ['a', 'b'].map((name) => ({ name, architecture: name })),
    data: { kind: 'species' },
    adaptation: { ranks: [3, 8], stitching_layer_rank: 16 },
    ...more,
  });
