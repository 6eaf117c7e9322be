/**
 * Opening an official data set for an experiment: prepared or just unpacked, found in its folder or in the data root.
 */
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';
import type { OfficialSpec } from './layouts/layout.js';
import { type PreparedDataset, readPrepared, splitsFile } from './prepare/prepared.js';
import { type OfficialDataset, readOfficialLayout, type SplitRequest } from './read.js';
import { findOfficial } from './registry.js';

/** An official data set as an experiment names it. */
export interface OfficialSource extends SplitRequest {
  /** name in the registry; `vtab-1k` takes a `task` */
  readonly kind: string;
  readonly task?: string;
  /** folder of the data set, or the data root that `esta data prepare` wrote it to */
  readonly root: string;
}

/**
 * Reads the splits file if the data set was prepared, else its official layout. Nothing is decoded.
 * @throws RequestError for unknown names, missing or damaged files, and splits other than the prepared ones
 */
export async function openOfficial(source: OfficialSource): Promise<OfficialDataset> {
  const name = source.kind === 'vtab-1k' && source.task !== undefined ? `vtab-${source.task}` : source.kind;
  const [spec, ...others] = findOfficial(name);
  if (spec === undefined || others.length > 0) throw new RequestError(`'${name}' needs a task, for example 'dtd'`);
  const prepared = await openPrepared(spec, source.root);
  if (prepared) {
    checkRequest(prepared, source);
    return prepared;
  }
  if (spec.convert) {
    throw new RequestError(
      `${source.root} holds no prepared ${spec.title}`,
      `Write its image files first: esta data prepare ${spec.name} --from ARCHIVE --root DIR`,
    );
  }
  return readOfficialLayout(spec, source.root, source);
}

/** The prepared data set in its own folder or in a data root; undefined when it was not prepared. */
export async function openPrepared(spec: OfficialSpec, root: string): Promise<PreparedDataset | undefined> {
  return (
    (await readPrepared(spec, splitsFile(spec, root))) ??
    (await readPrepared(spec, splitsFile(spec, path.join(root, spec.folder))))
  );
}

function checkRequest(prepared: PreparedDataset, { splits, trainFraction, ...request }: OfficialSource): void {
  const { fraction, seed } = prepared.drawn ?? {};
  const wantsOtherFiles = (splits !== undefined && prepared.origin !== 'vpt') || trainFraction !== undefined;
  const wantsOtherDraw =
    prepared.origin === 'drawn' &&
    ((request.validationFraction ?? fraction) !== fraction || (request.splitSeed ?? seed) !== seed);
  if (!wantsOtherFiles && !wantsOtherDraw) return;
  throw new RequestError(
    `${prepared.name} was prepared with ${describeSplits(prepared)}, other splits are asked for`,
    `Prepare it again with the wanted --splits, --train-fraction, --validation-fraction or --seed.`,
  );
}

/** The origin of the splits in words. */
function describeSplits({ origin, drawn }: PreparedDataset): string {
  if (origin === 'vpt') return "VPT's split files";
  if (origin === 'official') return 'the official splits';
  return `drawn validation images (fraction ${drawn?.fraction}, seed ${drawn?.seed})`;
}
