import { type Baseline, type FramesFacts, findRun, nameData, nameRun, type RunFacts } from './baseline.ts';
import { formatNumber } from './finding.ts';
import { listSettingDifferences, listValues } from './run-values.ts';

/** Something that an update of a baseline changes. */
export interface Change {
  /** `training frames`, or a run. */
  readonly subject: string;
  readonly what: string;
  /** null if the baseline has none, or will have none. */
  readonly before: string | null;
  readonly now: string | null;
}

/** The differences between two baselines of a profile, for people. The numbers are those of the file. */
export function listChanges(before: Baseline | null, now: Baseline): Change[] {
  const changes: Change[] = [];
  const note = (subject: string, what: string, old: string | null, fresh: string | null): void => {
    if (old !== fresh) changes.push({ subject, what, before: old, now: fresh });
  };
  note('data set', 'name', before && nameData(before), nameData(now));
  for (const split of ['train', 'test'] as const) {
    const subject = split === 'train' ? 'training frames' : 'test frames';
    const [old, fresh] = [before?.frames[split], now.frames[split]];
    note(subject, 'clips', old ? String(old.clips) : null, String(fresh.clips));
    note(subject, 'off and on events', old ? describeEvents(old) : null, describeEvents(fresh));
    note(subject, 'recordings and classes', old ? old.list.slice(0, 12) : null, fresh.list.slice(0, 12));
    note(subject, 'sha256', old ? old.sha256.slice(0, 12) : null, fresh.sha256.slice(0, 12));
  }
  for (const run of now.runs)
    changes.push(...listRunChanges(before === null ? undefined : findRun(before, run), run));
  for (const run of before?.runs ?? []) {
    if (findRun(now, run) === undefined) note(nameRun(run), 'run', describeAccuracy(run), null);
  }
  for (const id of [...new Set([...Object.keys(before?.claims ?? {}), ...Object.keys(now.claims)])].sort())
    note('claims', id, before?.claims[id] ?? null, now.claims[id] ?? null);
  return changes;
}

function listRunChanges(before: RunFacts | undefined, now: RunFacts): Change[] {
  const subject = nameRun(now);
  if (before === undefined) return [{ subject, what: 'run', before: null, now: describeAccuracy(now) }];
  const changes: Change[] = [];
  const note = (what: string, old: string, fresh: string): void => {
    if (old !== fresh) changes.push({ subject, what, before: old, now: fresh });
  };
  for (const difference of listSettingDifferences(before.settings, now.settings)) {
    const [name = '', values = ''] = splitOnce(difference, ': ');
    const [old = '', fresh = ''] = splitOnce(values, ' → ');
    note(name, old, fresh);
  }
  note('engine', before.engine, now.engine);
  note('epochs', String(before.epochs), String(now.epochs));
  note('chosen epoch', String(before.chosenEpoch), String(now.chosenEpoch));
  note('evaluated with', before.evaluationEngine, now.evaluationEngine);
  note('epoch to choose', String(before.preferredEpoch), String(now.preferredEpoch));
  note('loss of the last epoch', format(before.trainLosses.at(-1)), format(now.trainLosses.at(-1)));
  for (const { what, old, fresh } of listLargest(before, now)) note(what, String(old), String(fresh));
  note('test accuracy', describeAccuracy(before), describeAccuracy(now));
  note('wrong test clips', before.test.wrong.join(', '), now.test.wrong.join(', '));
  if (before.test.list !== now.test.list)
    note('list of test clips', before.test.list.slice(0, 12), now.test.list.slice(0, 12));
  return changes;
}

/** For each kind of number, how many differ, and the largest relative difference: no change of a training stays hidden. */
function listLargest(before: RunFacts, now: RunFacts): { what: string; old: number; fresh: number }[] {
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
    const count = `${differing.length} of ${all.length}`;
    return [
      { what: `${kind}: ${count} differ, most ${largest.name}`, old: largest.old, fresh: largest.fresh },
    ];
  });
}

function changeOf({ old, fresh }: { readonly old: number; readonly fresh: number }): number {
  return Math.abs(fresh - old) / Math.max(Math.abs(old), Math.abs(fresh));
}

function describeEvents({ events }: FramesFacts): string {
  return events === null ? 'none: still images' : `${events.off} and ${events.on}`;
}

function describeAccuracy({ test: { clips, wrong } }: RunFacts): string {
  const right = clips - wrong.length;
  return `${right} of ${clips} (${((100 * right) / clips).toFixed(1)} %)`;
}

function format(value: number | undefined): string {
  return value === undefined ? 'none' : formatNumber(value);
}

function splitOnce(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
