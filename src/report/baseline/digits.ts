import { FRAME_CACHE_FILES } from '../../results/clip-index.ts';
import { type Baseline, nameLayer, type RunFacts } from './baseline.ts';
import type { TrainingFacts } from './run-facts.ts';

/** A number of a run, or a list or a digest as text. */
interface NamedValue {
  readonly name: string;
  readonly value: number | string;
}

/** A value, and what the baseline has in its place. */
export interface ComparedValue extends NamedValue {
  readonly expected: number | string;
}

/** The values that both have, in the order of `now`. */
export function pairValues(before: readonly NamedValue[], now: readonly NamedValue[]): ComparedValue[] {
  const old = new Map(before.map(({ name, value }) => [name, value]));
  return now.flatMap((one) => {
    const expected = old.get(one.name);
    return expected === undefined ? [] : [{ ...one, expected }];
  });
}

const MISSING = 'missing';

/** All values of either, those of `before` first; `missing` stands for one that the other does not have. */
export function pairAllValues(before: readonly NamedValue[], now: readonly NamedValue[]): ComparedValue[] {
  const [old, found] = [before, now].map((values) => new Map(values.map(({ name, value }) => [name, value])));
  return [...new Set([...before, ...now].map(({ name }) => name))].map((name) => {
    return { name, value: found!.get(name) ?? MISSING, expected: old!.get(name) ?? MISSING };
  });
}

export function listDiffering(values: readonly ComparedValue[]): ComparedValue[] {
  // One that should not be there differs, even if its text says that it is missing.
  return values.filter(({ value, expected }) => value !== expected || expected === MISSING);
}

/** `the same digits: all 140 values`, `other digits: 2 of 140 values differ; the first is loss of epoch 3: 0.05, committed 0.04`. */
export function describeDigits(values: readonly ComparedValue[]): string {
  const differing = listDiffering(values);
  const [first] = differing;
  if (first === undefined) return `the same digits: all ${values.length} values`;
  return `other digits: ${differing.length} of ${values.length} values differ; the first is ${first.name}: ${first.value}, committed ${first.expected}`;
}

/** All values of frames and of a run on them. */
export function listResult(frames: Baseline['frames'], run: RunFacts): NamedValue[] {
  return [...listFrames(frames), ...listAll(run, run), { name: 'epochs', value: run.epochs }];
}

/** What frames are: how many clips and events, which clips, and all counts. */
export function listFrames(frames: Baseline['frames']): NamedValue[] {
  return (['train', 'test'] as const).flatMap((split) => {
    const { sha256, list, clips, events } = frames[split];
    const of = `of ${FRAME_CACHE_FILES[split]}`;
    return [
      { name: `clips ${of}`, value: clips },
      { name: `SHA-256 of the recordings and classes ${of}`, value: list },
      ...(['off', 'on'] as const).map((which) => ({
        name: `${which} events ${of}`,
        value: events?.[which] ?? 'none',
      })),
      { name: `SHA-256 ${of}`, value: sha256 },
    ];
  });
}

/** The values of a run; those of its end only if the other has as many epochs. */
export function listAll(run: RunFacts, other: RunFacts): NamedValue[] {
  const values = listTraining(run);
  if (run.epochs !== other.epochs) return values;
  values.push({ name: 'chosen epoch', value: run.chosenEpoch });
  if (run.digests !== undefined) values.push({ name: 'SHA-256 of the weights', value: run.digests.weights });
  if (run.engine === other.engine && run.evaluationEngine !== other.evaluationEngine) return values;
  return [...values, ...Object.entries(describeAnswers(run)).map(([name, value]) => ({ name, value }))];
}

/** The numbers of a training in the order in which they arose, so that the first that differs is the nearest to the cause. */
export function listTraining(run: TrainingFacts): NamedValue[] {
  const values: NamedValue[] = [];
  const add = (name: string, value: number) => values.push({ name, value });
  for (const { batch, loss, spikeRates } of run.firstBatches) {
    for (const [layer, rate] of spikeRates.entries())
      add(`spike rate of ${nameLayer(layer)}, batch ${batch}`, rate);
    add(`loss of batch ${batch}`, loss);
  }
  for (const [at, loss] of run.trainLosses.entries()) {
    const epoch = at + 1;
    const kept = run.layers.find((one) => one.epoch === epoch);
    if (kept !== undefined) add(`learning rate of epoch ${epoch}`, kept.learningRate);
    add(`loss of epoch ${epoch}`, loss);
    for (const split of ['train', 'validation', 'test'] as const) {
      const share = run.accuracies?.[split][at] ?? null;
      if (share !== null) add(`${split === 'train' ? 'training' : split} accuracy of epoch ${epoch}`, share);
    }
    for (const [what, measures] of [
      ['spike rate', kept?.spikeRates],
      ['mean τ', kept?.tauMeans],
      ['σ(τ)', kept?.tauStds],
    ] as const)
      for (const [layer, value] of (measures ?? []).entries())
        add(`${what} of ${nameLayer(layer)}, epoch ${epoch}`, value);
  }
  return values;
}

/** Which test clips a run answered wrong, how many right after each step, with frames in other orders and with other τ, and at what cost. */
function describeAnswers({
  digests,
  test: { wrong, correctByStep, correctByOrder = {}, correctByTau = {}, cost },
}: RunFacts): Readonly<Record<string, string>> {
  return {
    'wrong test clips': wrong.join(', ') || 'none',
    'right after each step': correctByStep.join(', '),
    ...Object.fromEntries(
      Object.entries(correctByOrder).map(([order, correct]) => [`right with frames ${order}`, `${correct}`]),
    ),
    ...Object.fromEntries(
      Object.entries(correctByTau).map(([change, correct]) => [`right with τ ${change}`, correct.join(', ')]),
    ),
    ...Object.fromEntries(Object.entries(cost).map(([name, value]) => [`cost: ${name}`, `${value}`])),
    ...(digests === undefined ? {} : { 'SHA-256 of the predictions': digests.predictions }),
  };
}
