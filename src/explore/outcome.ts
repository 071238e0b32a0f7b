import type { Trace } from '../snn/forward.ts';

/** What a network made of a clip, step by step. */
export interface Outcome {
  /** Mean output of each class up to each step, [T][classes]. */
  readonly scores: readonly (readonly number[])[];
  /** The class with the highest score at the end, the first of equals; null if no neuron voted. */
  readonly decision: number | null;
  /** The first step, from 0, from which the decision leads to the end. */
  readonly decidedAt: number | null;
  /** Spikes of all layers up to each step, [T]. */
  readonly spikes: readonly number[];
  /** Effective synaptic operations of all layers up to each step, [T] (docs/cost.md). */
  readonly operations: readonly number[];
}

/** @param group how many neurons vote for a class */
export function readOutcome({ steps, layers, outputs, operations }: Trace, group: number): Outcome {
  const classes = outputs.length / steps;
  // Whole votes: sums of rounded tenths would decide ties by chance.
  const votes = new Float64Array(classes);
  const soFar = { spikes: 0, operations: 0 };
  const rows = Array.from({ length: steps }, (_, step) => {
    for (let c = 0; c < classes; c++) votes[c]! += Math.round(outputs[step * classes + c]! * group);
    for (const layer of layers) soFar.spikes += sumAtStep(layer.spikes, steps, step);
    soFar.operations += sumAtStep(operations, steps, step);
    return { ...soFar, scores: Array.from(votes, (count) => count / group / (step + 1)) };
  });
  const leaders = rows.map(({ scores }) => leadersOf(scores)[0] ?? null);
  const decision = leaders.at(-1) ?? null;
  return {
    scores: rows.map(({ scores }) => scores),
    decision,
    decidedAt: decision === null ? null : leaders.findLastIndex((leader) => leader !== decision) + 1,
    spikes: rows.map(({ spikes }) => spikes),
    operations: rows.map((row) => row.operations),
  };
}

/** The classes with the highest score, of which the evaluation takes the first; none while no output has fired. */
export function leadersOf(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  return highest > 0 ? [...scores.keys()].filter((index) => scores[index] === highest) : [];
}

/** The sum of [T, ...] at one of T steps; of all values without a step. */
export function sumAtStep(values: Uint8Array | Float64Array, steps = 1, step = 0): number {
  const size = values.length / steps;
  let sum = 0;
  for (let i = step * size; i < (step + 1) * size; i++) sum += values[i]!;
  return sum;
}
