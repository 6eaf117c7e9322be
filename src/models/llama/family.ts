/** LLaMA networks as a family. */
import type { Family } from '../family.js';
import { familyName } from './architecture.js';

export const llama: Family = {
  name: familyName,
  title: 'LLaMA language model',
  network: async () => (await import('./network.js')).llamaNetwork,
};
