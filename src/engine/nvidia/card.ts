/** What the engine needs of an NVIDIA card. */
export type {
  Address,
  Card,
  DeviceType,
  Kernel,
  MatrixOperand,
  Product,
  ProductPrecision,
  RecordedGraph,
} from './card/card.js';
export { openCard } from './card/open.js';
