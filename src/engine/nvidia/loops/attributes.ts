/** Attributes of ONNX nodes. */
import type { Attribute } from '../../onnx/model-proto.js';

export function intsOf(attribute: Attribute | undefined): readonly number[] {
  return attribute && 'ints' in attribute ? attribute.ints : [];
}

export function intOf(attribute: Attribute | undefined, otherwise = 0): number {
  return attribute && 'int' in attribute ? attribute.int : otherwise;
}

export function floatOf(attribute: Attribute | undefined, otherwise: number): number {
  return attribute && 'float' in attribute ? attribute.float : otherwise;
}
