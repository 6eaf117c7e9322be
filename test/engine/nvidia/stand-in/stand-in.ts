/**
 * Libraries that stand in for those of a card and compute on the processor: `card.cpp`, compiled by g++ once for each state of its
 * sources, below .cache. A test that takes it opens the card as the program does. With STAND_IN_NVRTC=/…/libnvrtc.so.13, of a PyTorch or
 * of the wheel nvidia-cuda-nvrtc, every kernel is compiled by the real compiler too, which needs no card.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openCard } from '../../../../src/engine/nvidia/card/open.js';
import { projectRoot } from '../../../command-line.js';

const sources = path.join(projectRoot, 'test/engine/nvidia/stand-in');
const names = ['libcuda.so.1', 'libcublasLt.so.13', 'libcublas.so.13', 'libnvrtc.so.13'];

/** Tests run on the card of this machine instead: ESTA_TEST_CARD=1 node --test dist/test/engine/nvidia/card/*.test.js. */
export const onRealCard = process.env['ESTA_TEST_CARD'] !== undefined;

/** Why there is no stand-in here; undefined where there is one. */
export const noStandIn = process.platform !== 'linux' ? 'needs Linux' : hasCompiler() ? undefined : 'needs g++';

/** What tests of a card are skipped for: `{ skip: noTestCard }`. */
export const noTestCard: string | false = onRealCard ? false : (noStandIn ?? false);

/** Builds the libraries where that has not been done. @returns their folder */
export function buildStandIn(): string {
  const [source, prelude] = ['card.cpp', 'prelude.h'].map((name) => readFileSync(path.join(sources, name), 'utf8'));
  const key = createHash('sha256').update(`${source}\0${prelude}`).digest('hex').slice(0, 16);
  const folder = path.join(projectRoot, '.cache/stand-in-nvidia', key);
  if (existsSync(folder)) return folder;
  const own = `${folder}-${process.pid}`;
  mkdirSync(own, { recursive: true });
  writeFileSync(path.join(own, 'prelude.h'), prelude!);
  const options = ['-O3', '-std=c++17', '-shared', '-fPIC', '-Wall', '-Werror'];
  execFileSync('g++', [...options, path.join(sources, 'card.cpp'), '-o', path.join(own, names[0]!), '-ldl']);
  for (const name of names.slice(1)) symlinkSync(names[0]!, path.join(own, name));
  try {
    renameSync(own, folder);
  } catch {
    rmSync(own, { recursive: true }); // another process was quicker
  }
  return folder;
}

/**
 * From here on, this process and those that it starts find the stand-in before any other library of a card.
 * @returns what ends that
 */
export function useStandIn(): () => void {
  const before = process.env['LD_LIBRARY_PATH'];
  process.env['LD_LIBRARY_PATH'] = [buildStandIn(), ...(before ? [before] : [])].join(':');
  return () => {
    if (before === undefined) delete process.env['LD_LIBRARY_PATH'];
    else process.env['LD_LIBRARY_PATH'] = before;
  };
}

/** The stand-in, or the card of this machine where that was asked for. */
export async function openTestCard(): ReturnType<typeof openCard> {
  const end = onRealCard ? () => {} : useStandIn();
  try {
    return await openCard();
  } finally {
    end();
  }
}

function hasCompiler(): boolean {
  try {
    execFileSync('g++', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
