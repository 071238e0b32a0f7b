import { messageOf } from '../../base/errors.ts';
import { capitalise, formatCount, formatPercent } from '../../base/text.ts';
import type { NeuronTrace, Trace } from '../../network/forward.ts';
import type { Shape } from '../../network/maps.ts';
import type { PageTrainingProgress } from './training.ts';
import type { ViewState } from './view-state.ts';

/*
 * What the page says in words, beside its drawings and in place of them. Steps, layers and neurons count from 1 here.
 */

/** What is known of a clip. */
export interface Known {
  readonly classes: readonly string[];
  /** The true class; null if it is not known. */
  readonly label: number | null;
}

/** `The answer is “left wave” (wrong: the clip is “right wave”). It leads from step 5 of 16 on.` */
export function describeClipOutcome({ decision, decidedAt, soFar }: ClipOutcome, known: Known): string {
  if (decision === null || decidedAt === null) return 'No class gets a vote.';
  const leaders = leadersOf(soFar.at(-1)!.scores);
  const lead =
    leaders.length === 1
      ? `It leads from step ${decidedAt + 1} of ${soFar.length} on.`
      : `${nameTie(leaders, known.classes)} tie at the end; the first counts.`;
  return `The answer is ${judge(decision, known)}. ${lead}`;
}

/**
 * `The answer is “left wave” (right), with your changes and without; now with 12 % more spikes and 3 % fewer synaptic operations.`
 *
 * @param trained the network of the run on the same clip as recorded
 */
export function describeChange(now: ClipOutcome, trained: ClipOutcome, known: Known): string {
  const tell = ({ decision }: ClipOutcome, label = known.label) =>
    decision === null ? 'no class gets a vote' : `the answer is ${judge(decision, { ...known, label })}`;
  const answer =
    now.decision === trained.decision
      ? `${tell(now)}, with your changes and without`
      : `without your changes, ${tell(trained, null)}; with them, ${tell(now)}`;
  const [after, before] = [now.soFar.at(-1)!, trained.soFar.at(-1)!];
  const spikes = compareAmounts(after.spikes, before.spikes, 'spikes');
  const operations = compareAmounts(after.operations, before.operations, 'synaptic operations');
  return `${capitalise(answer)}; now with ${spikes} and ${operations}.`;
}

/** `12 % more spikes`, `as many spikes`. @param noun in the plural */
function compareAmounts(now: number, before: number, noun: string): string {
  if (now === before) return `as many ${noun}`;
  const change =
    before === 0 ? now.toLocaleString('en-US') : `${formatValue(100 * Math.abs(now / before - 1))} %`;
  return `${change} ${now > before ? 'more' : 'fewer'} ${noun}`;
}

/** A decision, and in brackets whether it is right, if that is known. */
function judge(decision: number, { label, classes }: Known): string {
  const name = quoteClass(decision, classes);
  if (label === null) return name;
  return `${name} (${decision === label ? 'right' : `wrong: the clip is ${quoteClass(label, classes)}`})`;
}

function nameTie(leaders: readonly number[], classes: readonly string[]): string {
  const names = leaders.map((index) => quoteClass(index, classes));
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** In a sentence, where “other” or “hand clapping” would be read as words of it. */
function quoteClass(index: number, classes: readonly string[]): string {
  return `“${classes[index]!}”`;
}

/** In a table; null: the network gave no answer. */
export function nameClass(index: number | null, classes: readonly string[]): string {
  return index === null ? 'no votes' : classes[index]!;
}

export interface Votes extends Known {
  /** Mean output of each class up to the step, from 0 to 1; `beside`: of the second model. */
  readonly scores: readonly number[];
  readonly beside: readonly number[] | null;
}

export function describeVotes({ classes, scores, label, beside }: Votes): string {
  const tell = (some: readonly number[]) => {
    const leaders = leadersOf(some);
    if (leaders.length === 0) return 'no output has fired yet';
    const score = some[leaders[0]!]!.toFixed(2);
    if (leaders.length > 1) return `${nameTie(leaders, classes)} tie at ${score}`;
    return `${quoteClass(leaders[0]!, classes)} leads with ${score}`;
  };
  const truth =
    label === null ? 'The true class is not known.' : `True class: ${quoteClass(label, classes)}.`;
  return `Votes so far: ${tell(scores)}. ${beside ? `Model beside: ${tell(beside)}. ` : ''}${truth}`;
}

export interface NeuronView {
  readonly trace: NeuronTrace;
  readonly threshold: number;
  readonly rest: number;
  /** From 0. */
  readonly step: number;
}

export function describeNeuron({ trace, threshold, rest, step }: NeuronView): string {
  const { current, charged, potential, spikes } = trace;
  // In a sentence, two decimals are enough.
  const say = (value: number) => formatValue(Math.round(100 * value) / 100);
  const limit = `the threshold of ${formatValue(threshold)}`;
  const outcome =
    spikes[step] === 1
      ? `It reaches ${limit}: a spike, then ${say(potential[step]!)}.`
      : `It stays below ${limit}.`;
  const count = formatCount(sumAtStep(spikes), 'spike');
  const move = `from ${say(potential[step - 1] ?? rest)} to ${say(charged[step]!)}`;
  return `${count} in the clip. Step ${step + 1} of ${spikes.length}: input ${say(current[step]!)} takes the potential ${move}. ${outcome}`;
}

/** `Layer 1, map 4, row 2, column 10`; behind a linear layer `Layer 4, neuron 12`. */
export function nameNeuron(layer: number, index: number, [, height, width]: Shape): string {
  if (height * width === 1) return `Layer ${layer + 1}, neuron ${index + 1}`;
  const place = index % (height * width);
  const [map, row, column] = [(index - place) / (height * width), Math.floor(place / width), place % width];
  return `Layer ${layer + 1}, map ${map + 1}, row ${row + 1}, column ${column + 1}`;
}

export function describeTau(taus: Float32Array, selected: number | null): string {
  const sorted = taus.toSorted();
  const [low, high, median] = [sorted[0]!, sorted.at(-1)!, sorted[(sorted.length - 1) >> 1]!];
  const count = formatCount(taus.length, 'neuron');
  // They differ by less than a text would show.
  if (high - low < 0.0005 * low) return `All ${count} have τ = ${formatTau(low)} steps.`;
  const one = selected === null ? '' : ` The selected neuron has ${formatTau(taus[selected]!)}.`;
  return `${count}, τ from ${formatTau(low)} to ${formatTau(high)} steps, median ${formatTau(median)}.${one}`;
}

export function formatTau(tau: number): string {
  return tau < 100 ? tau.toFixed(2) : formatValue(tau);
}

/** Three digits at most, with a minus sign rather than a hyphen: `−1.25`, `0.4`, `12`. */
export function formatValue(value: number): string {
  const rounded = Math.abs(value) < 0.0005 ? 0 : Number(value.toPrecision(3));
  return String(rounded).replace('-', '−');
}

/** `32 maps of 8 × 8 neurons`, `110 neurons`. */
export function nameMaps([channels, height, width]: Shape): string {
  if (height * width === 1) return formatCount(channels, 'neuron');
  return `${formatCount(channels, 'map')} of ${width} × ${height} neurons`;
}

const MAPS: Readonly<Record<ViewState['show'], string>> = {
  spikes: 'filled where a neuron spikes',
  potential: 'membrane potential before the reset',
  tau: 'membrane time constant τ',
};

/** @param spikes at this step */
export function describeMaps(shape: Shape, kind: ViewState['show'], spikes: number): string {
  const share = formatPercent(spikes / (shape[0] * shape[1] * shape[2]));
  const count = kind === 'tau' ? '' : `: ${formatCount(spikes, 'spike')} (${share})`;
  return `${nameMaps(shape)}, ${MAPS[kind]}${count}`;
}

export function describeEvents(step: number, on: number, off: number, noun: string): string {
  return `Events at step ${step + 1}: ${formatCount(on, noun)} ON, ${formatCount(off, noun)} OFF`;
}

export function describeFileError(error: unknown, file: string): string {
  return `${file}: ${messageOf(error)}`;
}

/** How far a training in the page has come. */
export type TrainingPoint = Pick<PageTrainingProgress, 'epoch' | 'loss' | 'correct' | 'tau'>;

/**
 * `After 5 epochs of 33 clips: 41 of 45 test clips right, were 40; mean τ moved most in layer 5: 1.701 steps, was 1.724.`
 *
 * @param points from before the first epoch on
 * @param clips that the network learned from, and test clips
 */
export function describeTraining(
  points: readonly TrainingPoint[],
  clips: { readonly training: number; readonly test: number },
): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return '';
  const right = `${last.correct} of ${formatCount(clips.test, 'test clip')} right`;
  if (last.epoch === 0) return `Before training: ${right}.`;
  const moves = last.tau.map((tau, layer) => Math.abs(tau - first.tau[layer]!));
  const layer = moves.indexOf(Math.max(...moves));
  const [now, before] = [last, first].map(({ tau }) => tau[layer]!.toFixed(3));
  const epochs = `${formatCount(last.epoch, 'epoch')} of ${formatCount(clips.training, 'clip')}`;
  return `After ${epochs}: ${right}, were ${first.correct}; mean τ moved most in layer ${layer + 1}: ${now} steps, was ${before}.`;
}

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
