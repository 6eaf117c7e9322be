/** The tensors of a file that a network has no place for: what changes its logits is refused, the rest is named. */
import { RequestError } from '../../shared/errors.js';
import type { LoadReport } from './assemble.js';
import type { TensorSource } from './flavour.js';
import type { Weights } from './formats/weights.js';
import { listed } from './names.js';

/** Names are listed in a message up to this many. */
const mostListed = 5;

/** What was added to a plain network when it was adapted to a task, anywhere in the file. */
const additions: readonly { readonly name: RegExp; readonly what: string }[] = [
  { name: /(^|[._])ssf_/, what: 'scales and shifts of SSF (scaling and shifting features)' },
  { name: /(^|[._])prompt/, what: 'prompts of VPT (visual prompt tuning)' },
  { name: /(^|[._])lora_/i, what: 'low-rank updates of LoRA' },
  { name: /(^|[._])adapter/i, what: 'adapters' },
];

/** Buffers that blocks carry along and that follow from their shapes. */
const buffers = /(^|\.)(relative_position_index|position_ids|num_batches_tracked)$/;

/**
 * @param unused names of the file that no tensor of the network is made from
 * @param sources where the tensors of the network come from
 * @throws RequestError for tensors whose absence changes the logits
 */
export function refuseWhatChangesLogits(
  { location }: Pick<Weights, 'location'>,
  unused: readonly string[],
  sources: readonly TensorSource[],
  head: LoadReport['head'],
  network: string,
): void {
  for (const { name, what } of additions) {
    const found = unused.filter((tensor) => name.test(tensor));
    if (found.length > 0) throw changed(location, `${what}, which a plain ${network} does not compute`, found);
  }
  // What lies between features and head matters only where the head is used.
  const preLogits = unused.filter((tensor) => /(^|[./])pre_logits/.test(tensor));
  if (head === 'kept' && preLogits.length > 0) {
    throw changed(location, 'a head that reads its representation layer (pre_logits) and not the features', preLogits);
  }
  const roots = blockRoots(sources);
  const inside = unused.filter((tensor) => isBelow(roots, tensor) && !buffers.test(tensor));
  if (inside.length > 0) {
    throw changed(location, `tensors inside its blocks that a plain ${network} does not have`, inside);
  }
}

/** One sentence about the names; undefined where there are none. */
export function unusedNote(location: string, unused: readonly string[], network: string): string | undefined {
  if (unused.length === 0) return undefined;
  return `${location}: not used, because ${network} has no place for ${unused.length === 1 ? 'it' : 'them'}: ${listed(unused, mostListed)}`;
}

function changed(location: string, what: string, names: readonly string[]): RequestError {
  return new RequestError(
    `${location} holds ${what}: ${listed(names, mostListed)}`,
    'Its logits would be others than those of the network it was saved from: use weights of a plain network.',
  );
}

/** What stands before the number of a block, as `blocks.` or `encoder.layer.`; of blocks in one array, their folder. */
function blockRoots(sources: readonly TensorSource[]): ReadonlySet<string> {
  const roots = sources
    .flatMap(({ from }) => from)
    .map((name) => (/^(.*?[._/])\d+[./]/.exec(name) ?? /^(.*\/encoderblock\/)/.exec(name))?.[1]);
  return new Set(roots.filter((root) => root !== undefined));
}

function isBelow(roots: ReadonlySet<string>, name: string): boolean {
  return [...roots].some(
    (root) => name.startsWith(root) && (root.endsWith('encoderblock/') || /^\d+[./]/.test(name.slice(root.length))),
  );
}
