import type { NeuronTrace } from '../snn/forward.ts';
import { formatCount, formatPercent } from '../text.ts';
import type { MapShape } from './map-layout.ts';
import { formatValue, spreadOf } from './scales.ts';

/** What drawings show, in words: for screen readers, and as captions. */

export interface Votes {
  readonly classes: readonly string[];
  /** Mean output of each class up to the step, from 0 to 1. */
  readonly scores: readonly number[];
  /** The true class; null if it is not known. */
  readonly label: number | null;
  /** Scores of the second model. */
  readonly beside?: readonly number[];
}

/** The first class with the highest score, as in the evaluation; null while no output has fired. */
export function decisionOf(scores: readonly number[]): number | null {
  const highest = Math.max(...scores);
  return highest > 0 ? scores.indexOf(highest) : null;
}

export function describeVotes({ classes, scores, label, beside }: Votes): string {
  const judge = (some: readonly number[]) => {
    const decision = decisionOf(some);
    if (decision === null) return 'no output has fired yet';
    const verdict = label === null ? '' : decision === label ? ', which is right' : ', which is wrong';
    return `${classes[decision]} at ${formatScore(some[decision]!)}${verdict}`;
  };
  const truth = label === null ? 'The true class is not known.' : `True class: ${classes[label]}.`;
  const second = beside === undefined ? '' : ` Model beside: ${judge(beside)}.`;
  return `Votes so far: ${judge(scores)}.${second} ${truth}`;
}

export function formatScore(score: number): string {
  return score.toFixed(2);
}

/** @param step from 0 */
export function describeNeuron(
  { current, charged, potential, spikes }: NeuronTrace,
  { step, threshold, rest }: { readonly step: number; readonly threshold: number; readonly rest: number },
): string {
  const [x = 0, h = 0, v = 0] = [current[step], charged[step], potential[step]];
  const before = step === 0 ? rest : (potential[step - 1] ?? rest);
  const fires = spikes[step] === 1;
  const after = fires
    ? `It reaches the threshold ${formatValue(threshold)}: a spike, and reset to ${formatValue(v)}.`
    : `It stays below the threshold ${formatValue(threshold)}.`;
  const count = spikes.reduce((sum, spike) => sum + spike, 0);
  return `Step ${step + 1} of ${spikes.length}: input ${formatValue(x)} takes the potential from ${formatValue(before)} to ${formatValue(h)}. ${after} ${formatCount(count, 'spike')} in the clip.`;
}

export function describeTau(taus: Float32Array, selected: number | null): string {
  const { low, median, high } = spreadOf(taus);
  const count = formatCount(taus.length, 'neuron');
  if (isOneTau(taus)) return `All ${count} have τ = ${formatTau(low)} steps.`;
  const one = selected === null ? '' : ` The selected neuron has ${formatTau(taus[selected]!)}.`;
  return `${count}, τ from ${formatTau(low)} to ${formatTau(high)} steps, median ${formatTau(median)}.${one}`;
}

/** Whether τ differ by less than a text would show. */
export function isOneTau(taus: Float32Array): boolean {
  const { low, high } = spreadOf(taus);
  return high - low < 0.0005 * low;
}

export function formatTau(tau: number): string {
  return tau < 100 ? tau.toFixed(2) : formatValue(tau);
}

const SHOWN = {
  spikes: 'filled where a neuron spikes',
  potential: 'membrane potential before the reset',
  tau: 'membrane time constant τ',
} as const;

/** @param spikes at this step; null if they were not counted */
export function describeMaps(
  [channels, height, width]: MapShape,
  kind: keyof typeof SHOWN,
  spikes: number | null,
) {
  const neurons = channels * height * width;
  const maps =
    height * width === 1
      ? formatCount(channels, 'neuron')
      : `${formatCount(channels, 'map')} of ${height} × ${width} neurons`;
  const count =
    spikes === null ? '' : `: ${formatCount(spikes, 'spike')} (${formatPercent(spikes / neurons)})`;
  return `${maps}, ${SHOWN[kind]}${count}`;
}

export function describeEvents(step: number, on: number, off: number): string {
  return `Events at step ${step + 1}: ${formatCount(on, 'pixel')} brighter, ${formatCount(off, 'pixel')} darker`;
}
