import { isDeepStrictEqual } from 'node:util';
import { nameSetting } from '../results/run-file.ts';
import {
  type Baseline,
  type FramesFacts,
  findBaselineRun,
  nameData,
  nameLayer,
  nameRun,
  type RunFacts,
} from './baseline.ts';
import { formatNumber } from './finding.ts';

/** Something that an update of a baseline changes. */
export interface Change {
  /** `training frames`, or a run. */
  readonly subject: string;
  readonly what: string;
  /** null if the baseline has none, or will have none. */
  readonly before: string | null;
  readonly now: string | null;
}

/** What a baseline says of a subject, in words. */
type Facts = Readonly<Record<string, string>>;

/** The differences between two baselines of a profile, for people. The numbers are those of the file. */
export function listChanges(before: Baseline | null, now: Baseline): Change[] {
  const gone = before?.runs.filter((run) => findBaselineRun(now, run) === undefined) ?? [];
  return [
    ...diff('data set', before && { name: nameData(before) }, { name: nameData(now) }),
    ...(['train', 'test'] as const).flatMap((split) =>
      diff(
        split === 'train' ? 'training frames' : 'test frames',
        before && describeFrames(before.frames[split]),
        describeFrames(now.frames[split]),
      ),
    ),
    ...[...now.runs, ...gone].flatMap((run) => {
      const [old, fresh] = [before && findBaselineRun(before, run), findBaselineRun(now, run)];
      if (old && fresh) return listRunChanges(old, fresh);
      return diff(
        nameRun(run),
        old && { run: describeAccuracy(old) },
        fresh && { run: describeAccuracy(fresh) },
      );
    }),
    ...diff('claims', before?.claims, now.claims).sort((a, b) => (a.what < b.what ? -1 : 1)),
    ...diff('question', before?.question, now.question),
  ];
}

function diff(subject: string, before: Facts | null | undefined, now: Facts | null | undefined): Change[] {
  return [...new Set([...Object.keys(before ?? {}), ...Object.keys(now ?? {})])]
    .map((what) => ({ subject, what, before: before?.[what] ?? null, now: now?.[what] ?? null }))
    .filter((change) => change.before !== change.now);
}

function describeFrames({ clips, events, list, sha256 }: FramesFacts): Facts {
  return {
    clips: String(clips),
    'off and on events': events === null ? 'none: still images' : `${events.off} and ${events.on}`,
    'recordings and classes': list.slice(0, 12),
    sha256: sha256.slice(0, 12),
  };
}

function listRunChanges(before: RunFacts, now: RunFacts): Change[] {
  const subject = nameRun(now);
  return [
    ...listSettingDifferences(before.settings, now.settings).map((one) => ({ subject, ...one })),
    ...diff(subject, describeRun(before), describeRun(now)),
    ...listLargest(before, now).map((one) => ({ subject, ...one })),
  ];
}

function describeRun(run: RunFacts): Facts {
  const last = run.trainLosses.at(-1);
  return {
    engine: run.engine,
    epochs: String(run.epochs),
    'chosen epoch': String(run.chosenEpoch),
    'evaluated with': run.evaluationEngine,
    'epoch to choose': String(run.preferredEpoch),
    'loss of the last epoch': last === undefined ? 'none' : formatNumber(last),
    'test accuracy': describeAccuracy(run),
    ...describeAnswers(run),
    'list of test clips': run.test.list.slice(0, 12),
  };
}

/** Which test clips a run answered wrong, how many right after each step and with frames in other orders, and at what cost. */
export function describeAnswers({
  test: { wrong, correctByStep, correctByOrder = {}, cost = {} },
}: RunFacts): Facts {
  return {
    'wrong test clips': wrong.join(', ') || 'none',
    ...(correctByStep === undefined ? {} : { 'right after each step': correctByStep.join(', ') }),
    ...Object.fromEntries(
      Object.entries(correctByOrder).map(([order, correct]) => [`right with frames ${order}`, `${correct}`]),
    ),
    ...Object.fromEntries(Object.entries(cost).map(([name, value]) => [`cost: ${name}`, `${value}`])),
  };
}

function describeAccuracy({ test: { clips, wrong } }: RunFacts): string {
  const right = clips - wrong.length;
  return `${right} of ${clips} (${((100 * right) / clips).toFixed(1)} %)`;
}

/** For each kind of number, how many differ, and the largest relative difference: no change of a training stays hidden. */
function listLargest(before: RunFacts, now: RunFacts): Omit<Change, 'subject'>[] {
  const known = new Map(listValues(before).map(({ name, value }) => [name, value]));
  const shared = listValues(now).flatMap(({ kind, name, value }) => {
    const old = known.get(name);
    return old === undefined ? [] : [{ kind, name, old, fresh: value }];
  });
  return [...new Set(shared.map(({ kind }) => kind))].flatMap((kind) => {
    const all = shared.filter((one) => one.kind === kind);
    const differing = all.filter(({ old, fresh }) => old !== fresh).sort((a, b) => changeOf(b) - changeOf(a));
    const [largest] = differing;
    if (largest === undefined) return [];
    const what = `${kind}: ${differing.length} of ${all.length} differ, most ${largest.name}`;
    return [{ what, before: String(largest.old), now: String(largest.fresh) }];
  });
}

function changeOf({ old, fresh }: { readonly old: number; readonly fresh: number }): number {
  return Math.abs(fresh - old) / Math.max(Math.abs(old), Math.abs(fresh));
}

/** A number that a run gave, in the digits that a baseline keeps. */
interface RunValue {
  readonly kind: 'first batches' | 'learning rate' | 'loss' | 'spike rates' | 'τ' | 'σ(τ)';
  /** `loss of batch 4`, unique in a run. */
  readonly name: string;
  readonly value: number;
}

/** The numbers of a training in the order in which they arose, so that the first that differs is the nearest to the cause. */
export function listValues(run: RunFacts): RunValue[] {
  const values: RunValue[] = [];
  const add = (kind: RunValue['kind'], name: string, value: number) => values.push({ kind, name, value });
  for (const { batch, loss, spikeRates } of run.firstBatches) {
    for (const [layer, rate] of spikeRates.entries())
      add('first batches', `spike rate of ${nameLayer(layer)}, batch ${batch}`, rate);
    add('first batches', `loss of batch ${batch}`, loss);
  }
  for (const [at, loss] of run.trainLosses.entries()) {
    const epoch = at + 1;
    const kept = run.layers.find((one) => one.epoch === epoch);
    if (kept !== undefined) add('learning rate', `learning rate of epoch ${epoch}`, kept.learningRate);
    add('loss', `loss of epoch ${epoch}`, loss);
    for (const [layer, rate] of (kept?.spikeRates ?? []).entries())
      add('spike rates', `spike rate of ${nameLayer(layer)}, epoch ${epoch}`, rate);
    for (const [layer, mean] of (kept?.tauMeans ?? []).entries())
      add('τ', `mean τ of ${nameLayer(layer)}, epoch ${epoch}`, mean);
    for (const [layer, std] of (kept?.tauStds ?? []).entries())
      add('σ(τ)', `σ(τ) of ${nameLayer(layer)}, epoch ${epoch}`, std);
  }
  return values;
}

/** For each setting that differs, by name: its values as JSON. */
export function listSettingDifferences(
  before: { readonly [key: string]: unknown },
  now: { readonly [key: string]: unknown },
): { readonly what: string; readonly before: string; readonly now: string }[] {
  const show = (value: unknown) => (value === undefined ? 'unset' : JSON.stringify(value));
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .sort()
    .filter((key) => !isDeepStrictEqual(before[key], now[key]))
    .map((key) => ({ what: nameSetting(key), before: show(before[key]), now: show(now[key]) }));
}
