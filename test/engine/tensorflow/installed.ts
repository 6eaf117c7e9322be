/** Tests that need the TensorFlow engine are skipped, with the reason, where it is not installed. */
import { findAddon } from '../../../src/engine/tensorflow/location.js';

export const whereInstalled = {
  skip: findAddon() ? false : 'the TensorFlow engine is not installed: esta engine install',
};
