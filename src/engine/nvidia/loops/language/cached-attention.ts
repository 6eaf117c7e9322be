/** Attention to keys and values that stay on the card: new ones are written in their place first. */
import { intOf } from '../attributes.js';
import { type Convert, MissingOperators } from '../conversion.js';
import type { Value } from '../value.js';

export const cachedAttention: Convert = ({ values, node, given }) => {
  const [query, key, value, rows, owners, first] = given as [Value, Value, Value, Value, Value, Value];
  if (!values.lasting.has(rows)) throw new MissingOperators(['attention to keys that do not stay where they are']);
  const kept = values.make({ kind: 'kept', inputs: [rows, key, value, first] }, rows.shape, rows.type);
  const heads = intOf(node.attributes['num_heads']);
  return values.make({ kind: 'attended', heads, inputs: [query, kept, owners, first] }, query.shape, query.type);
};
