/**
 * What can be run independently of a trial: each rate of a grid, each final run, and the evaluation. Items follow from the
 * experiment file alone, in an order in which each comes after those that it waits for; how far they are is on disk alone.
 */
import type { Trial } from '../../config/trials.js';
import type { Plan } from '../plan.js';
import type { Recipe } from '../recipe.js';
import { gridRun } from '../trial/grid.js';

interface ItemOfTrial {
  /** "flowers12-esta-seed0/stitched-grid-0.01", ".../stitched", ".../evaluation". */
  readonly id: string;
  /** Name of the trial. */
  readonly trial: string;
  /** Ids of items; all of them of the same trial, and before this one. */
  readonly waitsFor: readonly string[];
  /** Training steps; left out where the number of images is not known before they are read, 0 of an evaluation. */
  readonly steps?: number;
}

/** A base learning rate of a stage's grid: trained and validated in a folder of its own. */
export interface RateItem extends ItemOfTrial {
  readonly does: 'rate';
  readonly stage: string;
  readonly rate: number;
}

/** The final run of a stage. Those of a trial share its folder, so that one waits for the other. */
export interface TrainingItem extends ItemOfTrial {
  readonly does: 'training';
  readonly stage: string;
}

/** Deployment, tests, and the result of the trial. */
export interface EvaluationItem extends ItemOfTrial {
  readonly does: 'evaluation';
}

export type Item = RateItem | TrainingItem | EvaluationItem;

/** @param recipe of the trial; its steps may not be known */
export function itemsOf(
  { name: trial }: Pick<Trial, 'name'>,
  { stages }: Pick<Recipe<number | undefined>, 'stages'>,
): Item[] {
  const items: Item[] = [];
  const idOf = (run: string) => `${trial}/${run}`;
  let before: readonly string[] = [];
  for (const { name: stage, anchor, grid, final, learningRates } of stages) {
    // Anchors learn alone; what is stitched are all of them, trained.
    const stitched = anchor === undefined ? before : [];
    const rates = grid ? learningRates.map(({ base }) => base) : [];
    for (const rate of rates) {
      const id = idOf(gridRun(stage, rate));
      items.push({ does: 'rate', id, trial, stage, rate, waitsFor: stitched, ...stepsIn(grid!) });
    }
    const waitsFor = [...before, ...rates.map((rate) => idOf(gridRun(stage, rate)))];
    items.push({ does: 'training', id: idOf(stage), trial, stage, waitsFor, ...stepsIn(final) });
    before = [idOf(stage)];
  }
  items.push({ does: 'evaluation', id: idOf('evaluation'), trial, waitsFor: before, steps: 0 });
  return items;
}

/** The items of all trials of a plan. */
export function itemsOfPlan({ trials }: Pick<Plan, 'trials'>): Item[] {
  return trials.flatMap((trial) => itemsOf(trial, trial.recipe));
}

function stepsIn({ steps }: { readonly steps: number | undefined }): { readonly steps?: number } {
  return steps === undefined ? {} : { steps };
}
