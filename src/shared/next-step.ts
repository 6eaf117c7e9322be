/** What to do next: a sentence, and below it a command that can be pasted into a shell as it stands. */
export interface NextStep {
  /** What the command gives, one line. */
  readonly purpose: string;
  readonly command: string;
}

export function formatNextStep({ purpose, command }: NextStep): string {
  return `${purpose}\nNext: ${command}`;
}

/** A command line of esta from its words, which are quoted where a shell would take them apart. */
export function estaCommand(...words: readonly string[]): string {
  return commandLine(['esta', ...words]);
}

/** A command line from its words, which are quoted where a shell would take them apart. */
export function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** The words of a command line that `commandLine` gave. */
export function wordsOf(command: string): string[] {
  const words = command.match(/(?:'[^']*'|\\'|[^\s'\\])+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|\\'/g, (_, inside?: string) => inside ?? "'"));
}

/** A word as a POSIX shell reads it back. */
export function quoted(word: string): string {
  return /^[\w./=:@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
