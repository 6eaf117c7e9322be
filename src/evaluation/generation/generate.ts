/** Continues a text token by token. */
import type { TextTokenizer } from '../../data/text/tokenizer.js';
import { RequestError } from '../../shared/errors.js';
import type { Random } from '../../shared/random.js';
import type { LanguageModel } from './language-model.js';
import { chooseToken, type SamplingOptions } from './sampling.js';

export interface GenerationOptions {
  readonly sampling: SamplingOptions;
  /** New tokens at most. */
  readonly maxTokens: number;
  readonly random: Random;
  /** Stops between two tokens. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the prompt, and then with every piece of new text as soon as it is known. */
  readonly onText?: (text: string) => void;
}

export interface Generated {
  /** The continuation, without the prompt. */
  readonly text: string;
  readonly promptTokens: number;
  /** New tokens, the end token not counted. */
  readonly tokens: number;
  readonly stopped: 'end' | 'length' | 'interrupted';
  /** Seconds for the prompt, and for a new token on average. */
  readonly promptSeconds: number;
  readonly secondsPerToken: number;
}

/** @throws RequestError when prompt and new tokens do not fit into what the network can see at once */
export async function generate(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  prompt: string,
  { sampling, maxTokens, random, signal, onText }: GenerationOptions,
): Promise<Generated> {
  const ids = tokenizer.encode(prompt);
  requireRoom(ids.length, maxTokens, model.contextLength);
  onText?.(prompt);
  const before = tokenizer.decode(ids);
  let text = before;
  let stopped: Generated['stopped'] = 'length';
  const reading = model.begin(1, { tokens: ids.length + maxTokens });
  try {
    const start = performance.now();
    let logits = await reading.read(ids);
    const afterPrompt = performance.now();
    const fresh: number[] = [];
    while (fresh.length < maxTokens) {
      if (signal?.aborted) {
        stopped = 'interrupted';
        break;
      }
      const id = chooseToken(logits, sampling, random);
      if (tokenizer.special.end.includes(id)) {
        stopped = 'end';
        break;
      }
      fresh.push(id);
      const grown = tokenizer.decode([...ids, ...fresh]);
      // A character of several tokens is shown when it is whole.
      if (!grown.endsWith('\ufffd')) {
        onText?.(grown.slice(text.length));
        text = grown;
      }
      if (fresh.length < maxTokens) logits = await reading.read([id]);
    }
    const seconds = (performance.now() - afterPrompt) / 1000;
    return {
      text: tokenizer.decode([...ids, ...fresh]).slice(before.length),
      promptTokens: ids.length,
      tokens: fresh.length,
      stopped,
      promptSeconds: (afterPrompt - start) / 1000,
      secondsPerToken: seconds / Math.max(1, fresh.length),
    };
  } finally {
    reading.end();
  }
}

/** @throws RequestError when they do not fit into what the network can see at once */
export function requireRoom(prompt: number, maxTokens: number, contextLength: number): void {
  if (prompt + maxTokens <= contextLength) return;
  throw new RequestError(
    `a prompt of ${prompt} tokens and ${maxTokens} new ones exceed the ${contextLength} tokens that the network can see`,
    'Give a shorter prompt, or a smaller --max-tokens (--tokens of esta bench generate).',
  );
}
