/** A YAML text that remembers on which line each value stands. */
import {
  CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  stringify,
} from 'yaml';
import { RequestError } from '../shared/errors.js';

export interface YamlDocument {
  /** Plain values: mappings, lists, text, numbers, true, false, null. */
  readonly value: unknown;
  /** Line (from 1) of the value at `path`, or of the nearest container that is there. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** Characters; the longest file that this program ships has 6,000. */
const longest = 2 ** 18;

/**
 * Parses one document of YAML 1.2; `file` is only named in messages.
 * @throws RequestError also for a text that is much longer than an experiment, and for aliases that multiply
 */
export function parseYaml(text: string, file: string): YamlDocument {
  if (text.length > longest) {
    throw new RequestError(
      `${file} has ${text.length} characters; a configuration has at most ${longest}`,
      'Give the file that describes the experiment, not its data or results.',
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      ({ code, pos, message }) =>
        `  line ${lines.linePos(pos[0]).line}: ${code === 'MULTIPLE_DOCS' ? 'a second document (---); a file has one' : message}`,
    );
    throw new RequestError(`${file} is not valid YAML\n${problems.join('\n')}`);
  }
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const lineAt = (node: Node | null | undefined, fallback: number): number =>
    node?.range ? lines.linePos(node.range[0]).line : fallback;

  return {
    value: plainValue(document, file),
    lineOf(path) {
      let node = resolved(document.contents);
      let line = lineAt(document.contents, 1);
      for (const key of path) {
        if (isMap(node)) {
          const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
          if (!pair) break;
          line = lineAt(pair.key as Node, line);
          node = resolved(pair.value);
        } else if (isSeq(node)) {
          const item = node.items[Number(key)] as Node | undefined;
          if (!item) break;
          line = lineAt(item, line);
          node = resolved(item);
        } else break;
      }
      return line;
    },
  };
}

/** Whether part of the text is a comment, which begins at a # after a space, outside of quotes. */
export function hasComment(text: string): boolean {
  const lexemes = [...new Lexer().lex(text)];
  // A text without quotes, or a block of them, follows a mark of its own.
  return lexemes.some((lexeme, index) => lexeme.startsWith('#') && lexemes[index - 1] !== CST.SCALAR);
}

/** The text of a value, as it is written into run folders. */
export function formatYaml(value: unknown): string {
  return stringify(value, { lineWidth: 120 });
}

/** The parser counts what aliases stand for, because a few lines of them can stand for billions of values. */
function plainValue(document: Document.Parsed, file: string): unknown {
  try {
    const value: unknown = document.toJS();
    JSON.stringify(value); // throws where an alias stands inside of what it stands for
    return value;
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof TypeError)) throw error;
    const fault = error instanceof TypeError ? 'an alias stands inside of what it stands for' : error.message;
    throw new RequestError(`${file} is not valid YAML\n  ${fault}`, 'Write out what its aliases (*NAME) stand for.');
  }
}
