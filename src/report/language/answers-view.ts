/** What deployed stitches of language models answer to instructions, with their speed (Figures G and H). */
import type { AnsweredQuestion, TrialAnswers } from '../../run-folder/language/answers.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { halfOpenPath } from '../curves/labels.js';
import type { Column, Row, Table } from '../render/table.js';

const columns: readonly Column[] = [
  { key: 'id', label: 'Stitch', kind: 'number', precision: 0 },
  { key: 'blocks', label: 'Blocks', kind: 'text' },
  { key: 'params', label: 'Params (M)', kind: 'number', precision: 3 },
  { key: 'speed', label: 's/token', kind: 'number', precision: 4 },
  { key: 'text', label: 'Answer', kind: 'text' },
];

/** The answers to one question, a stitch in each row, by parameters. */
export function answersTable({ instruction, input, answers }: AnsweredQuestion): Table {
  return {
    name: 'answers',
    title: questionOf({ instruction, input }),
    columns,
    rows: answers.toSorted((a, b) => a.params - b.params).map((answer) => rowOf(answer)),
    notes: [],
  };
}

/** All questions that the trials of a report have answered, one table for each trial. */
export function answersViews(trials: readonly TrialRecord[]): Table[] {
  const answered = trials.flatMap(({ run, name, answers }) => (answers ? [{ run, name, answers }] : []));
  return answered.map(({ run, name, answers }) => {
    const isAlone = answered.filter((other) => other.name === name).length === 1;
    return answersView(isAlone ? name : `${run}/${name}`, answers);
  });
}

function answersView(trial: string, { questions, device }: TrialAnswers): Table {
  const rows = questions.flatMap(({ instruction, input, answers }) =>
    answers
      .toSorted((a, b) => a.params - b.params)
      .map((answer, index): Row => {
        return {
          startsGroup: index === 0,
          cells: { question: questionOf({ instruction, input }), ...rowOf(answer).cells },
        };
      }),
  );
  return {
    name: `answers-${trial.replaceAll('/', '-')}`,
    title: `Answers of the deployed language models of ${trial} (as Figures G and H)`,
    columns: [{ key: 'question', label: 'Instruction', kind: 'text', grouping: true }, ...columns],
    rows,
    notes: [`seconds a token measured on ${device}`],
  };
}

function questionOf({ instruction, input }: Pick<AnsweredQuestion, 'instruction' | 'input'>): string {
  return input === '' ? instruction : `${instruction} (${input})`;
}

function rowOf({ id, path, params, text, seconds_per_token: speed }: AnsweredQuestion['answers'][number]): Row {
  return { cells: { id, blocks: halfOpenPath(path), params: params / 1e6, speed, text: text.replaceAll('\n', ' ') } };
}
