/**
 * Instructions that the program makes up, as it draws species: small tasks about words and numbers with one right answer
 * each. They belong to this project, so that an experiment can be run, and its data shipped, without any download.
 */
import { Random } from '../../shared/random.js';
import type { Instruction } from './instructions.js';

const nouns =
  'man son king land house day people children city father hand heart voice word water fire earth heaven light night bread stone sword servant brother daughter wife mountain sea river field tree fruit wine oil gold silver sheep ox horse lion bird serpent cloud wind rain sun moon star gate wall tent altar temple priest prophet angel spirit soul body blood bone eye ear mouth tongue foot door way path law book song'.split(
    ' ',
  );

const opposites: readonly (readonly [string, string])[] = [
  ['light', 'darkness'],
  ['day', 'night'],
  ['good', 'evil'],
  ['life', 'death'],
  ['heaven', 'earth'],
  ['great', 'small'],
  ['first', 'last'],
  ['rich', 'poor'],
  ['old', 'young'],
  ['strong', 'weak'],
  ['high', 'low'],
  ['before', 'after'],
  ['war', 'peace'],
  ['love', 'hatred'],
  ['wise', 'foolish'],
  ['near', 'far'],
  ['hot', 'cold'],
  ['open', 'shut'],
  ['come', 'go'],
  ['begin', 'end'],
];

const numbers = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');

interface Task {
  readonly instruction: string;
  readonly input?: string;
  readonly output: string;
}

const kinds: readonly ((random: Random) => Task)[] = [
  (random) => {
    const words = draw(random, nouns, 3);
    return {
      instruction: 'Write the words in reverse order.',
      input: words.join(' '),
      output: words.reverse().join(' '),
    };
  },
  (random) => {
    const words = draw(random, nouns, 3);
    return { instruction: 'Sort the words by the alphabet.', input: words.join(' '), output: words.sort().join(' ') };
  },
  (random) => {
    const words = draw(random, nouns, 2 + random.integer(3));
    return { instruction: `How many words are there: ${words.join(' ')}?`, output: numbers[words.length - 1]! };
  },
  (random) => {
    const pair = opposites[random.integer(opposites.length)]!;
    const side = random.integer(2);
    const noun = nouns[random.integer(nouns.length)]!;
    return {
      instruction: `Say the opposite of "${pair[side]}", then the word "${noun}".`,
      output: `${pair[1 - side]} ${noun}`,
    };
  },
  (random) => {
    const [word] = draw(random, nouns, 1);
    const times = 2 + random.integer(4);
    return {
      instruction: `Say the word ${word} ${numbers[times - 1]} times.`,
      output: Array(times).fill(word).join(' '),
    };
  },
  (random) => {
    const words = draw(random, nouns, 3);
    const at = random.integer(3);
    const place = ['first', 'second', 'third'][at]!;
    return { instruction: `Which is the ${place} word?`, input: words.join(' '), output: words[at]! };
  },
  (random) => {
    const [first, second] = [1 + random.integer(6), 1 + random.integer(6)];
    const noun = nouns[random.integer(nouns.length)]!;
    const counted = (count: number) => `${numbers[count - 1]} of ${noun}`;
    return { instruction: `Add ${counted(first)} and ${counted(second)}.`, output: counted(first + second) };
  },
  (random) => {
    const words = draw(random, nouns, 2);
    return {
      instruction: 'Join the two words with "and", and begin with "the".',
      input: words.join(' '),
      output: `the ${words[0]} and the ${words[1]}`,
    };
  },
];

/** So many different tasks, of more than a million that there are; a smaller number gives the first of a larger one. */
export function wordTasks(count: number, seed: number): Instruction[] {
  const random = Random.of(seed, 'word tasks');
  const tasks = new Map<string, Instruction>();
  while (tasks.size < count) {
    const { input = '', ...task } = kinds[random.integer(kinds.length)]!(random);
    tasks.set(`${task.instruction}\n${input}`, { ...task, input });
  }
  return [...tasks.values()];
}

/** Different ones. */
function draw(random: Random, words: readonly string[], count: number): string[] {
  const left = [...words];
  return Array.from({ length: count }, () => left.splice(random.integer(left.length), 1)[0]!);
}
