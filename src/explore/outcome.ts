import type { Trace } from '../snn/forward.ts';

/** What a network made of a clip. */
export interface ClipOutcome {
  /** Up to each step, [T]. */
  readonly soFar: readonly {
    /** Mean output of each class, [classes]. */
    readonly scores: readonly number[];
    /** Of all layers. */
    readonly spikes: number;
    /** Effective synaptic operations of all layers (docs/cost.md). */
    readonly operations: number;
  }[];
  /** The class with the highest score at the end, the first of equals; null if no neuron voted. */
  readonly decision: number | null;
  /** The first step, from 0, from which the decision leads to the end. */
  readonly decidedAt: number | null;
}

/** @param group how many neurons vote for a class */
export function readOutcome({ steps, layers, outputs, operations }: Trace, group: number): ClipOutcome {
  const classes = outputs.length / steps;
  // Whole votes: sums of rounded tenths would decide ties by chance.
  const votes = new Float64Array(classes);
  const counts = { spikes: 0, operations: 0 };
  const soFar = Array.from({ length: steps }, (_, step) => {
    for (let c = 0; c < classes; c++) votes[c]! += Math.round(outputs[step * classes + c]! * group);
    for (const layer of layers) counts.spikes += sumAtStep(layer.spikes, steps, step);
    counts.operations += sumAtStep(operations, steps, step);
    return { ...counts, scores: Array.from(votes, (count) => count / group / (step + 1)) };
  });
  const leaders = soFar.map(({ scores }) => leadersOf(scores)[0] ?? null);
  const decision = leaders.at(-1) ?? null;
  const decidedAt = decision === null ? null : leaders.findLastIndex((leader) => leader !== decision) + 1;
  return { soFar, decision, decidedAt };
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
