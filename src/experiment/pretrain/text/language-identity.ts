/** What the numbers of a pretrained language model depend on, and the folder that it becomes. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { TextPretraining } from '../../../config/schema/pretraining.js';
import type { PlainText } from '../../../data/text/plain/plain-text.js';
import type { Engine } from '../../../engine/engine.js';
import type { LlamaConfig } from '../../../models/llama/config.js';
import { llamaNamed } from '../../../models/llama/variants.js';
import { openSafetensors } from '../../../models/pretrained/formats/safetensors.js';
import { singleFile } from '../../../models/pretrained/sources/weight-files.js';
import { computationIdentity } from '../../../run-folder/identity/input-identity.js';
import { RequestError } from '../../../shared/errors.js';
import { exists } from '../../../shared/files.js';
import { differencesOf } from '../../../shared/identity/differences.js';

export type LanguageAnchor = TextPretraining['anchors'][number];

export interface LanguageTraining {
  readonly epochs: number;
  readonly warmup_epochs: number;
  readonly batch_size: number;
  readonly learning_rate: number;
  readonly weight_decay: number;
}

/** A network to be pretrained. */
export interface AskedLanguage {
  readonly anchor: LanguageAnchor;
  readonly network: LlamaConfig;
  /** Everything that its numbers depend on. */
  readonly identity: object;
  readonly folder: string;
}

export interface PretrainedLanguage {
  readonly name: string;
  /** In the layout of Hugging Face. */
  readonly folder: string;
  readonly epochs: number;
  /** Cross-entropy of the validation sequences, nats per token. */
  readonly loss: number;
}

/** Folder in the layout of Hugging Face. */
export function languageFolder({ output }: TextPretraining, { architecture }: LanguageAnchor): string {
  return path.join(output, architecture);
}

/** With the epochs and the learning rate of this anchor; what is for images only is left out. */
export function languageTraining({ training }: TextPretraining, anchor: LanguageAnchor): LanguageTraining {
  const { epochs, warmup_epochs, batch_size, learning_rate, weight_decay } = training;
  return {
    epochs: anchor.epochs ?? epochs,
    warmup_epochs,
    batch_size,
    learning_rate: anchor.learning_rate ?? learning_rate,
    weight_decay,
  };
}

export function languageIdentity(
  config: TextPretraining,
  anchor: LanguageAnchor,
  texts: readonly PlainText[],
  engine: Engine,
): object {
  const { kind, length, validation_fraction } = config.data;
  const content = createHash('sha256');
  for (const { text } of texts) content.update(`${text.length}\n`).update(text);
  return {
    seed: config.seed,
    anchor: { name: anchor.name, network: llamaNamed(anchor.architecture) },
    training: languageTraining(config, anchor),
    data: { kind, length, validation_fraction, content: content.digest('hex').slice(0, 16) },
    computation: computationIdentity(engine),
  };
}

/** @throws RequestError where the network is there and was made with other settings or text */
export async function finishedLanguage({
  anchor,
  identity,
  folder,
}: AskedLanguage): Promise<PretrainedLanguage | undefined> {
  const metadata = await languageMetadata(folder);
  if (!metadata) return undefined;
  refuseOtherLanguage(folder, metadata, identity);
  return { name: anchor.name, folder, epochs: Number(metadata['epochs']), loss: Number(metadata['loss']) };
}

/** Metadata of the anchor's weights; undefined where there are none yet. */
async function languageMetadata(folder: string): Promise<Readonly<Record<string, string>> | undefined> {
  const file = path.join(folder, singleFile);
  if (!(await exists(file))) return undefined;
  const open = await openSafetensors(file);
  await open.close();
  return open.metadata;
}

/** @throws RequestError with the differences, where the anchor was made in another way than is asked for now */
function refuseOtherLanguage(folder: string, metadata: Readonly<Record<string, string>>, identity: object): void {
  const differences = differencesOf(JSON.parse(metadata['identity'] ?? '{}'), identity);
  if (differences.length === 0) return;
  throw new RequestError(
    `${folder} was pretrained in another way:\n  ${differences.join('\n  ')}`,
    'Choose another folder with --set output=DIR, or restore the settings and the text to go on.',
  );
}
