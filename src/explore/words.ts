import { describeError, ReproError } from '../errors.ts';
import type { NeuronTrace } from '../snn/forward.ts';
import { formatCount, formatPercent } from '../text.ts';
import type { MapShape } from './map-layout.ts';
import type { TrainingProgress } from './messages.ts';
import { countSpikes, leadersOf, type Outcome } from './outcome.ts';
import { formatValue, spreadOf } from './scales.ts';

/*
 * What the page says in words, beside its drawings and in place of them. Steps, layers and neurons count from 1 here.
 */

/**
 * `Left wave (wrong: the clip is right wave), was right wave; 12 % more spikes, 3 % fewer synaptic operations.`
 *
 * @param trained the same network and clip, with nothing changed
 * @param label null: unknown
 */
export function describeChange(
  now: Outcome,
  trained: Outcome,
  label: number | null,
  classes: readonly string[],
): string {
  const amounts = (['spikes', 'operations'] as const).map((kind) =>
    compareAmounts(
      now[kind].at(-1) ?? 0,
      trained[kind].at(-1) ?? 0,
      kind === 'spikes' ? kind : 'synaptic operations',
    ),
  );
  const isSame = (['scores', 'spikes', 'operations'] as const).every(
    (kind) => now[kind].join() === trained[kind].join(),
  );
  const decision = capitalise(compareDecisions(now, trained, label, classes));
  return `${decision}; ${isSame ? 'nothing changed' : amounts.join(', ')}.`;
}

function compareDecisions(
  now: Outcome,
  trained: Outcome,
  label: number | null,
  classes: readonly string[],
): string {
  const name = `${nameClass(now.decision, classes)}${judge(now.decision, label, classes)}`;
  if (now.decision !== trained.decision) return `${name}, was ${nameClass(trained.decision, classes)}`;
  if (now.decidedAt === null || trained.decidedAt === null || now.decidedAt === trained.decidedAt)
    return `still ${name}`;
  return `still ${name}, from step ${now.decidedAt + 1} instead of ${trained.decidedAt + 1}`;
}

/** `12 % more spikes`, `as many spikes`, `3.5 times as many spikes`. @param noun in the plural */
export function compareAmounts(now: number, before: number, noun: string): string {
  if (now === before) return `as many ${noun}`;
  if (now === 0) return `no ${noun}`;
  if (before === 0) return formatCount(now, noun.replace(/s$/, ''));
  const ratio = now / before;
  if (ratio >= 2) return `${ratio.toFixed(1)} times as many ${noun}`;
  const percent = Math.round(100 * Math.abs(ratio - 1));
  return `${percent === 0 ? 'under 1' : percent} % ${ratio > 1 ? 'more' : 'fewer'} ${noun}`;
}

/** `Left wave (wrong: the clip is right wave). Left wave leads from step 5 of 16 on.` @param label null: unknown */
export function describeOutcome(
  { decision, decidedAt, scores }: Outcome,
  label: number | null,
  classes: readonly string[],
): string {
  if (decision === null || decidedAt === null) return 'No class gets a vote.';
  const name = capitalise(nameClass(decision, classes));
  const leaders = leadersOf(scores.at(-1)!);
  const lead =
    leaders.length === 1
      ? `${name} leads from step ${decidedAt + 1} of ${scores.length} on.`
      : `${capitalise(nameTie(leaders, classes))} tie at the end; the first counts.`;
  return `${name}${judge(decision, label, classes)}. ${lead}`;
}

/** In brackets, whether a decision is right; nothing if that is not known. */
function judge(decision: number | null, label: number | null, classes: readonly string[]): string {
  if (decision === null || label === null) return '';
  return decision === label ? ' (right)' : ` (wrong: the clip is ${nameClass(label, classes)})`;
}

function nameTie(leaders: readonly number[], classes: readonly string[]): string {
  const names = leaders.map((index) => nameClass(index, classes));
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/**
 * A step in place of the drawings: `Step 5 of 16. Votes so far: … Neurons that fire: 3.1 % in layer 1, …`
 *
 * @param layers of each spiking layer, neurons that fire at the step, and all
 */
export function describeStep(
  step: number,
  steps: number,
  votes: Votes,
  layers: readonly { readonly fired: number; readonly neurons: number }[],
): string {
  const shares = layers.map(
    ({ fired, neurons }, at) => `${formatPercent(fired / neurons)} in layer ${at + 1}`,
  );
  return `Step ${step + 1} of ${steps}. ${describeVotes(votes)} Neurons that fire: ${shares.join(', ')}.`;
}

/** `Layer 1, map 4, row 2, column 10`; behind a linear layer `Layer 4, neuron 12`. @param shape [C, H, W] */
export function nameNeuron(
  layer: number,
  index: number,
  [, height, width]: readonly [number, number, number],
): string {
  if (height * width === 1) return `Layer ${layer + 1}, neuron ${index + 1}`;
  const place = index % (height * width);
  const [map, row, column] = [(index - place) / (height * width), Math.floor(place / width), place % width];
  return `Layer ${layer + 1}, map ${map + 1}, row ${row + 1}, column ${column + 1}`;
}

export function nameClass(index: number | null, classes: readonly string[]): string {
  return index === null ? 'no votes' : (classes[index] ?? `class ${index + 1}`);
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export interface Votes {
  readonly classes: readonly string[];
  /** Mean output of each class up to the step, from 0 to 1. */
  readonly scores: readonly number[];
  /** The true class; null if it is not known. */
  readonly label: number | null;
  /** Scores of the second model. */
  readonly beside?: readonly number[];
}

export function describeVotes({ classes, scores, label, beside }: Votes): string {
  const tell = (some: readonly number[]) => {
    const leaders = leadersOf(some);
    const [first] = leaders;
    if (first === undefined) return 'no output has fired yet';
    const score = formatScore(some[first]!);
    if (leaders.length > 1) return `${nameTie(leaders, classes)} tie at ${score}`;
    const verdict = label === null ? '' : first === label ? ', which is right' : ', which is wrong';
    return `${classes[first]} leads with ${score}${verdict}`;
  };
  const truth = label === null ? 'The true class is not known.' : `True class: ${classes[label]}.`;
  const second = beside === undefined ? '' : ` Model beside: ${tell(beside)}.`;
  return `Votes so far: ${tell(scores)}.${second} ${truth}`;
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

/** `7.bin: the file is empty. Choose another.` Without what one could do on a command line. @param file its name */
export function describeFileError(error: unknown, file: string): string {
  if (!(error instanceof ReproError)) return `${file}: ${describeError(error)}`;
  const fix =
    error.fix === undefined || /`|\bstage\b/.test(error.fix) ? '' : ` ${error.fix.replaceAll('\n', ' ')}`;
  return `${error.where ?? file}: ${error.message}${fix}`;
}

/** How far a training in the page has come. */
export type TrainingPoint = Pick<TrainingProgress, 'step' | 'loss' | 'correct' | 'tau'>;

/** Clips that the network learned from, and test clips. */
export interface ClipCounts {
  readonly training: number;
  readonly test: number;
}

/** What training in the page does, before it begins. */
export function describeOffer(steps: number, batchSize: number, { training, test }: ClipCounts): string {
  const batch = Math.min(batchSize, training);
  return (
    `The network goes on learning in this page, by the engine of this project: ${formatCount(steps, 'step')}, ` +
    `each on ${batch} of ${formatCount(training, 'clip')} that it has learned from. The ${formatCount(test, 'test clip')} of this page, ` +
    'which it has not learned from, score it. It starts with τ, threshold and reset as you set them: change τ of all neurons, ' +
    'and see how it recovers. Adam starts afresh, so its first steps change each value by about the learning rate.'
  );
}

/**
 * `After 20 steps on 33 training clips: 41 of 45 test clips right, were 40; mean τ moved most in layer 5: 1.701 steps, was 1.724.`
 *
 * @param points from before the first step on, which is scored
 */
export function describeTraining(points: readonly TrainingPoint[], { training, test }: ClipCounts): string {
  const first = points[0];
  const last = points.findLast(({ correct }) => correct !== null);
  if (first === undefined || last === undefined) return '';
  const right = `${last.correct} of ${formatCount(test, 'test clip')} right`;
  if (last.step === 0) return `Before training: ${right}.`;
  const moves = last.tau.map((tau, layer) => Math.abs(tau - first.tau[layer]!));
  const layer = moves.indexOf(Math.max(...moves));
  const [now, before] = [last, first].map(({ tau }) => tau[layer]!.toFixed(3));
  const move =
    now === before
      ? 'mean τ of no layer moved'
      : `mean τ moved most in layer ${layer + 1}: ${now} steps, was ${before}`;
  const was = last.correct === first.correct ? 'as before' : `were ${first.correct}`;
  return `After ${formatCount(last.step, 'step')} on ${formatCount(training, 'clip')}: ${right}, ${was}; ${move}. A link to this view does not carry what was trained here.`;
}
