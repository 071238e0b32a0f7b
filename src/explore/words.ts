import { formatCount, formatPercent } from '../text.ts';
import { describeVotes, type Votes } from './accounts.ts';
import type { Outcome } from './outcome.ts';

/*
 * What the page says in words, beside its drawings and in place of them. Steps, layers and neurons count from 1 here.
 */

/**
 * `Left wave, was right wave; 12 % more spikes, 3 % fewer synaptic operations.`
 *
 * @param trained the same network and clip, with nothing changed
 */
export function describeChange(now: Outcome, trained: Outcome, classes: readonly string[]): string {
  const amounts = (['spikes', 'operations'] as const).map((kind) =>
    compareAmounts(
      now[kind].at(-1) ?? 0,
      trained[kind].at(-1) ?? 0,
      kind === 'spikes' ? kind : 'synaptic operations',
    ),
  );
  return `${capitalise(compareDecisions(now, trained, classes))}; ${amounts.join(', ')}.`;
}

function compareDecisions(now: Outcome, trained: Outcome, classes: readonly string[]): string {
  const name = nameClass(now.decision, classes);
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

/** `right wave, which is correct; it leads from step 5 of 16 to the end` @param label null: unknown */
export function describeOutcome(
  { decision, decidedAt, scores }: Outcome,
  label: number | null,
  classes: readonly string[],
): string {
  if (decision === null || decidedAt === null) return 'no class gets a vote';
  const wrong = `, but it is ${nameClass(label, classes)}`;
  const verdict = label === null ? '' : decision === label ? ', which is correct' : wrong;
  return `${nameClass(decision, classes)}${verdict}; it leads from step ${decidedAt + 1} of ${scores.length} to the end`;
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
