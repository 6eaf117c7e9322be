/** Recognises a TensorFlow that the addon can be built against: the folder of a Python wheel, or libtensorflow's archive. */
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';

export interface LibTensorFlow {
  /** Holds tensorflow/c/c_api.h. */
  readonly include: string;
  /** Holds both libraries; the addon looks for them here when it runs, so the folder must stay. */
  readonly libraryFolder: string;
  /** File names, e.g. libtensorflow_cc.so.2 of a wheel, libtensorflow.so.2 of the C library's archive. */
  readonly library: string;
  readonly framework: string;
}

const libraryNames = ['libtensorflow_cc.so.2', 'libtensorflow.so.2'];
const frameworkName = 'libtensorflow_framework.so.2';

/** Also takes a site-packages folder. Throws a RequestError that names the file that is missing. */
export function readLibTensorFlow(directory: string): LibTensorFlow {
  const given = path.resolve(directory);
  if (!existsSync(given)) throw new RequestError(`--libtensorflow: ${given} does not exist`, whereToLook);
  const nested = path.join(given, 'tensorflow');
  const root = realpathSync(existsSync(path.join(nested, 'include')) ? nested : given);
  const include = path.join(root, 'include');
  for (const header of ['tensorflow/c/c_api.h', 'tensorflow/c/eager/c_api.h']) {
    requireFile(path.join(include, header), root);
  }
  const libraryFolder = existsSync(path.join(root, 'lib', frameworkName)) ? path.join(root, 'lib') : root;
  requireFile(path.join(libraryFolder, frameworkName), root);
  const library = libraryNames.find((name) => existsSync(path.join(libraryFolder, name)));
  if (!library) {
    throw new RequestError(`--libtensorflow: ${root} has neither ${libraryNames.join(' nor ')}`, whereToLook);
  }
  return { include, libraryFolder, library, framework: frameworkName };
}

function requireFile(file: string, root: string): void {
  if (existsSync(file)) return;
  throw new RequestError(
    `--libtensorflow: ${root} is no TensorFlow: ${path.relative(root, file)} is missing`,
    whereToLook,
  );
}

const whereToLook =
  'Give the folder that `python -c "import importlib.util as u; print(u.find_spec(\'tensorflow\').submodule_search_locations[0])"` prints.';
