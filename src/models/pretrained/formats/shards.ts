/** Weights in several safetensors files with an index, as Hugging Face writes large models. */
import path from 'node:path';
import type { Float32NdArray } from '../../../shared/arrays.js';
import { RequestError } from '../../../shared/errors.js';
import { readJson } from '../../../shared/files.js';
import { openSafetensors, type SafetensorsFile } from './safetensors.js';
import type { Weights } from './weights.js';

/** Names of tensors -> names of files beside the index. */
export type WeightMap = ReadonlyMap<string, string>;

/** Opens all shards of `*.safetensors.index.json` and checks that each has the tensors the index promises. */
export async function openShards(index: string): Promise<Weights> {
  const weightMap = await readWeightMap(index);
  const shards = new Map<string, SafetensorsFile>();
  const close = async () => {
    await Promise.all([...shards.values()].map((shard) => shard.close()));
  };
  try {
    for (const name of new Set(weightMap.values())) {
      shards.set(name, await openSafetensors(path.join(path.dirname(index), name)));
    }
    for (const [tensor, name] of weightMap) {
      if (shards.get(name)!.names.has(tensor)) continue;
      throw new RequestError(
        `${index} promises tensor ${tensor} in ${name}, which does not have it`,
        'Index and shards are of different versions: download all of them again.',
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  const read = (tensor: string): Promise<Float32NdArray> => {
    const name = weightMap.get(tensor);
    if (name === undefined) throw new RequestError(`${index} has no tensor ${tensor}`);
    return shards.get(name)!.read(tensor);
  };
  return { location: index, names: new Set(weightMap.keys()), read, close };
}

/** Reads the index; names that lead out of its folder are refused. */
export async function readWeightMap(index: string): Promise<WeightMap> {
  const content = await readJson<{ weight_map?: unknown } | null>(index);
  const weightMap = content?.weight_map;
  if (typeof weightMap !== 'object' || weightMap === null || Array.isArray(weightMap)) {
    throw new RequestError(`${index} has no weight_map`, 'It is not the index of a sharded model: download it again.');
  }
  const entries = Object.entries(weightMap).map(([tensor, name]: [string, unknown]): [string, string] => {
    if (typeof name === 'string' && isFileName(name)) return [tensor, name];
    throw new RequestError(
      `${index} puts tensor ${tensor} into ${JSON.stringify(name)}, which is not a .safetensors file of its folder`,
      'Shards must lie beside their index. Do not use an index from a source you do not trust.',
    );
  });
  return new Map(entries);
}

/** No separators, so that neither `..`, absolute paths nor addresses are possible. */
function isFileName(name: string): boolean {
  return /^[\w.-]+\.safetensors$/.test(name);
}
