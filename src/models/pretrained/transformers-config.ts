/** What Hugging Face's `config.json` beside the weights says of a network, and no tensor tells. */
import path from 'node:path';
import { z } from 'zod';
import { RequestError } from '../../shared/errors.js';
import { exists, readJson } from '../../shared/files.js';
import type { Weights } from './formats/weights.js';

/** Whose names they are, for the log of a run. */
export const transformersName = 'Hugging Face transformers';

/** transformers/models/{vit,convnext}/configuration_*.py; of other files these fields are left out. */
const schema = z.looseObject({
  num_attention_heads: z.int().positive().optional().catch(undefined),
  hidden_act: z.string().optional().catch(undefined),
  layer_norm_eps: z.number().optional().catch(undefined),
});

/** With up to so much instead of the 1e-6 of here, logits of 6 change by 4e-5. */
const largestEpsilon = 1e-5;

/** The names of transformers/activations.py that compute the exact GELU, as all networks here do. */
const exactGelu = ['gelu', 'gelu_python'];

/**
 * What the file says, as far as it is there: the heads of a block, too, as weights of any number of heads have the same
 * shapes.
 * @throws RequestError for another activation or norm than the networks here have
 */
export async function checkedConfig({ location }: Pick<Weights, 'location'>): Promise<z.output<typeof schema>> {
  const file = path.join(path.dirname(location), 'config.json');
  const { data = {} } = (await exists(file)) ? schema.safeParse(await readJson(file)) : {};
  const { hidden_act: activation, layer_norm_eps: epsilon = 0 } = data;
  if (epsilon > largestEpsilon) {
    throw new RequestError(
      `${file}: layer_norm_eps: expected at most ${largestEpsilon}, received ${epsilon}`,
      'Norms here add 1e-6: use weights that were trained with nearly that.',
    );
  }
  if (activation === undefined || exactGelu.includes(activation)) return data;
  throw new RequestError(
    `${file}: hidden_act: expected ${exactGelu.join(' or ')}, received ${activation}`,
    'The network computes another activation than the ones here: use weights that were trained with the exact GELU.',
  );
}
