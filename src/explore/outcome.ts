import type { LayerTrace, Trace } from '../snn/forward.ts';

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
export function readOutcome(trace: Trace, group: number): Outcome {
  const { steps, outputs, operations } = trace;
  const classes = outputs.length / steps;
  // Whole votes: sums of rounded tenths would decide ties by chance.
  const votes = new Float64Array(classes);
  const scores = Array.from({ length: steps }, (_, step) => {
    for (let c = 0; c < classes; c++) votes[c]! += Math.round(outputs[step * classes + c]! * group);
    return Array.from(votes, (count) => count / group / (step + 1));
  });
  const leaders = scores.map(decisionOf);
  const decision = leaders.at(-1) ?? null;
  return {
    scores,
    decision,
    decidedAt: decision === null ? null : leaders.findLastIndex((leader) => leader !== decision) + 1,
    spikes: accumulate(steps, (step) =>
      trace.layers.reduce((sum, layer) => sum + countSpikes(layer, steps, step), 0),
    ),
    operations: accumulate(steps, (step) => {
      const layers = operations.length / steps;
      return operations.subarray(step * layers, (step + 1) * layers).reduce((sum, count) => sum + count, 0);
    }),
  };
}

/** The first class with the highest score, as in the evaluation; null while no output has fired. */
export function decisionOf(scores: readonly number[]): number | null {
  return leadersOf(scores)[0] ?? null;
}

/** The classes with the highest score; none while no output has fired. */
export function leadersOf(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  return highest > 0 ? [...scores.keys()].filter((index) => scores[index] === highest) : [];
}

/** Spikes of a neuron or a layer at a step of several; of the whole clip without a step. */
export function countSpikes({ spikes }: Pick<LayerTrace, 'spikes'>, steps = 1, step = 0): number {
  const size = spikes.length / steps;
  return spikes.subarray(step * size, (step + 1) * size).reduce((sum, spike) => sum + spike, 0);
}

function accumulate(steps: number, valueAt: (step: number) => number): number[] {
  let sum = 0;
  return Array.from({ length: steps }, (_, step) => {
    sum += valueAt(step);
    return sum;
  });
}
