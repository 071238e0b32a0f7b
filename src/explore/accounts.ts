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

export interface NeuronView {
  readonly trace: NeuronTrace;
  /** The same neuron of the second model. */
  readonly beside?: NeuronTrace;
  readonly threshold: number;
  readonly rest: number;
  /** From 0. */
  readonly step: number;
}

export function describeNeuron({ trace, beside, threshold, rest, step }: NeuronView): string {
  const { current, charged, potential, spikes } = trace;
  const [x, h, v] = [current, charged, potential].map((values) => formatRounded(values[step] ?? rest));
  const before = formatRounded(step === 0 ? rest : (potential[step - 1] ?? rest));
  const limit = `the threshold of ${formatValue(threshold)}`;
  const outcome =
    spikes[step] === 1 ? `It reaches ${limit}: a spike, then ${v}.` : `It stays below ${limit}.`;
  const second =
    beside === undefined
      ? ''
      : ` Model beside: ${formatCount(countSpikes(beside), 'spike')} in the clip, potential now ${formatRounded(beside.charged[step] ?? rest)}.`;
  return `${formatCount(countSpikes(trace), 'spike')} in the clip. Step ${step + 1} of ${spikes.length}: input ${x} takes the potential from ${before} to ${h}. ${outcome}${second}`;
}

/** In a sentence, two decimals are enough. */
function formatRounded(value: number): string {
  return formatValue(Math.round(100 * value) / 100);
}

export function countSpikes({ spikes }: NeuronTrace): number {
  return spikes.reduce((sum, spike) => sum + spike, 0);
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
