/** One deployed stitch of a finished trial, chosen by id or by what a device can pay for, as a classifier of its own. */
import { bind } from '../../engine/bind.js';
import type { Classifier } from '../../evaluation/predict.js';
import { chooseWithin, type MeasuredRun, pricesOf } from '../../run-folder/measured/choice.js';
import type { StitchResult } from '../../run-folder/result.js';
import type { Budget } from '../../shared/costs/budget.js';
import { formatCost } from '../../shared/costs/format-cost.js';
import { RequestError } from '../../shared/errors.js';
import { findTrial } from './found-trial.js';
import { openTrial, type StitchNetwork } from './trained-trial.js';

export interface DeployedChoice {
  /** Name of the trial folder; may be left out where the run has one finished trial. */
  readonly trial?: string | undefined;
  /** Id of a deployed stitch. */
  readonly stitch?: number | undefined;
  /** The deployed stitch with the most FLOPs of those that it can pay for; left out: of all. */
  readonly budget?: Budget | undefined;
  /** Whose milliseconds count; needed where several machines have measured them. */
  readonly machine?: string | undefined;
}

export interface DeployedNetwork extends StitchNetwork, Classifier {
  /** FLOPs, parameters, and accuracy on the test images. */
  readonly result: StitchResult;
  readonly classes: readonly string[];
}

/** @throws RequestError when there is no such run, trial or stitch, or the pretrained anchors are not there any more */
export async function openDeployed(runFolder: string, choice: DeployedChoice = {}): Promise<DeployedNetwork> {
  const run = await findTrial(runFolder, choice.trial);
  const result = chosenStitch(run, choice);
  const network = (await openTrial(run)).network(result.id);
  const { trial, weights, logits } = network;
  return { ...network, result, load: (engine) => bind(engine, `predict ${trial} ${result.id}`, weights, logits) };
}

/** @throws RequestError when the stitch is not deployed, or nothing fits the budget */
export function chosenStitch(run: MeasuredRun, { stitch: id, budget, machine }: DeployedChoice): StitchResult {
  if (budget) return chooseWithin(run, budget, pricesOf(run, budget.cost, machine)).stitch;
  const stitches = run.result.stitches.toSorted((a, b) => a.flops - b.flops);
  if (id === undefined) return stitches.at(-1)!;
  const found = stitches.find((stitch) => stitch.id === id);
  if (found) return found;
  const deployed = stitches.map(({ id, flops }) => `${id} (${formatCost('flops', flops)})`).join(', ');
  throw new RequestError(`stitch ${id} is not deployed in ${run.name}`, `Deployed are ${deployed}.`);
}
