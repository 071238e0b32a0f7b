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

/** What is known of a clip. */
export interface Known {
  readonly classes: readonly string[];
  /** The true class; null if it is not known. */
  readonly label: number | null;
}

/**
 * `Left wave (wrong: the clip is right wave), was right wave; 12 % more spikes, 3 % fewer synaptic operations.`
 *
 * @param trained the same network and clip, with nothing changed
 */
export function describeChange(now: Outcome, trained: Outcome, known: Known): string {
  const decision = `${nameClass(now.decision, known.classes)}${judge(now.decision, known)}`;
  const since =
    now.decidedAt === trained.decidedAt
      ? ''
      : `, from step ${now.decidedAt! + 1} instead of ${trained.decidedAt! + 1}`;
  const answer =
    now.decision === trained.decision
      ? `still ${decision}${since}`
      : `${decision}, was ${nameClass(trained.decision, known.classes)}`;
  const isSame = (['scores', 'spikes', 'operations'] as const).every(
    (kind) => now[kind].join() === trained[kind].join(),
  );
  const spikes = compareAmounts(now.spikes.at(-1)!, trained.spikes.at(-1)!, 'spikes');
  const operations = compareAmounts(
    now.operations.at(-1)!,
    trained.operations.at(-1)!,
    'synaptic operations',
  );
  return `${capitalise(answer)}; ${isSame ? 'nothing changed' : `${spikes}, ${operations}`}.`;
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

/** `Left wave (wrong: the clip is right wave). It leads from step 5 of 16 on.` */
export function describeOutcome({ decision, decidedAt, scores }: Outcome, known: Known): string {
  if (decision === null || decidedAt === null) return 'No class gets a vote.';
  const leaders = leadersOf(scores.at(-1)!);
  const lead =
    leaders.length === 1
      ? `It leads from step ${decidedAt + 1} of ${scores.length} on.`
      : `${capitalise(nameTie(leaders, known.classes))} tie at the end; the first counts.`;
  return `${capitalise(nameClass(decision, known.classes))}${judge(decision, known)}. ${lead}`;
}

/** In brackets, whether a decision is right; nothing if that is not known. */
function judge(decision: number | null, { label, classes }: Known): string {
  if (decision === null || label === null) return '';
  return decision === label ? ' (right)' : ` (wrong: the clip is ${nameClass(label, classes)})`;
}

function nameTie(leaders: readonly number[], classes: readonly string[]): string {
  const names = leaders.map((index) => nameClass(index, classes));
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

export function nameClass(index: number | null, classes: readonly string[]): string {
  return index === null ? 'no votes' : (classes[index] ?? `class ${index + 1}`);
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `Layer 1, map 4, row 2, column 10`; behind a linear layer `Layer 4, neuron 12`. */
export function nameNeuron(layer: number, index: number, [, height, width]: MapShape): string {
  if (height * width === 1) return `Layer ${layer + 1}, neuron ${index + 1}`;
  const place = index % (height * width);
  const [map, row, column] = [(index - place) / (height * width), Math.floor(place / width), place % width];
  return `Layer ${layer + 1}, map ${map + 1}, row ${row + 1}, column ${column + 1}`;
}

export interface Votes extends Known {
  /** Mean output of each class up to the step, from 0 to 1; `beside`: of the second model. */
  readonly scores: readonly number[];
  readonly beside?: readonly number[];
}

export function describeVotes({ classes, scores, label, beside }: Votes): string {
  const tell = (some: readonly number[]) => {
    const leaders = leadersOf(some);
    const [first] = leaders;
    if (first === undefined) return 'no output has fired yet';
    const score = some[first]!.toFixed(2);
    if (leaders.length > 1) return `${nameTie(leaders, classes)} tie at ${score}`;
    return `${classes[first]} leads with ${score}`;
  };
  const truth = label === null ? 'The true class is not known.' : `True class: ${classes[label]}.`;
  const second = beside === undefined ? '' : ` Model beside: ${tell(beside)}.`;
  return `Votes so far: ${tell(scores)}.${second} ${truth}`;
}

export interface NeuronView {
  readonly trace: NeuronTrace;
  /** The same neuron of the second model. */
  readonly beside: NeuronTrace | null;
  readonly threshold: number;
  readonly rest: number;
  /** From 0. */
  readonly step: number;
}

export function describeNeuron({ trace, beside, threshold, rest, step }: NeuronView): string {
  const { current, charged, potential, spikes } = trace;
  // In a sentence, two decimals are enough.
  const format = (value = rest) => formatValue(Math.round(100 * value) / 100);
  const limit = `the threshold of ${formatValue(threshold)}`;
  const outcome =
    spikes[step] === 1
      ? `It reaches ${limit}: a spike, then ${format(potential[step])}.`
      : `It stays below ${limit}.`;
  const second =
    beside === null
      ? ''
      : ` Model beside: ${formatCount(countSpikes(beside), 'spike')} in the clip, potential now ${format(beside.charged[step])}.`;
  return `${formatCount(countSpikes(trace), 'spike')} in the clip. Step ${step + 1} of ${spikes.length}: input ${format(current[step])} takes the potential from ${format(potential[step - 1])} to ${format(charged[step])}. ${outcome}${second}`;
}

export function describeTau(taus: Float32Array, selected: number | null): string {
  const { low, median, high } = spreadOf(taus);
  const count = formatCount(taus.length, 'neuron');
  // They differ by less than a text would show.
  if (high - low < 0.0005 * low) return `All ${count} have τ = ${formatTau(low)} steps.`;
  const one = selected === null ? '' : ` The selected neuron has ${formatTau(taus[selected]!)}.`;
  return `${count}, τ from ${formatTau(low)} to ${formatTau(high)} steps, median ${formatTau(median)}.${one}`;
}

export function formatTau(tau: number): string {
  return tau < 100 ? tau.toFixed(2) : formatValue(tau);
}

/** `32 maps of 8 × 8 neurons`, `110 neurons`. */
export function nameMaps([channels, height, width]: MapShape): string {
  const isMap = height * width > 1;
  return isMap
    ? `${formatCount(channels, 'map')} of ${height} × ${width} neurons`
    : formatCount(channels, 'neuron');
}

const SHOWN = {
  spikes: 'filled where a neuron spikes',
  potential: 'membrane potential before the reset',
  tau: 'membrane time constant τ',
} as const;

/** @param spikes at this step */
export function describeMaps(shape: MapShape, kind: keyof typeof SHOWN, spikes: number): string {
  const share = formatPercent(spikes / (shape[0] * shape[1] * shape[2]));
  const count = kind === 'tau' ? '' : `: ${formatCount(spikes, 'spike')} (${share})`;
  return `${nameMaps(shape)}, ${SHOWN[kind]}${count}`;
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

/**
 * `After 20 steps on 33 clips: 41 of 45 test clips right, were 40; mean τ moved most in layer 5: 1.701 steps, was 1.724.`
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
