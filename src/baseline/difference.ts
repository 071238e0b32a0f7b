import { type Baseline, type FramesFacts, findRun, nameRun, type RunFacts } from './baseline.ts';
import { listSettingDifferences } from './rules/settings.ts';

/** Something that an update of a baseline changes. */
export interface Change {
  /** `training frames`, or a run. */
  readonly subject: string;
  readonly what: string;
  /** null if the baseline has none, or will have none. */
  readonly before: string | null;
  readonly now: string | null;
}

/** What is different in two baselines of a profile, for people; empty if nothing is. The numbers are those of the file. */
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
    note(subject, 'sha256', old ? old.sha256.slice(0, 12) : null, fresh.sha256.slice(0, 12));
  }
  for (const run of now.runs)
    changes.push(...listRunChanges(before === null ? undefined : findRun(before, run), run));
  for (const run of before?.runs ?? []) {
    if (findRun(now, run) === undefined) note(nameRun(run), 'run', describeAccuracy(run), null);
  }
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
  note('loss of the first batch', format(before.firstBatches[0]?.loss), format(now.firstBatches[0]?.loss));
  note('loss of epoch 1', format(before.trainLosses[0]), format(now.trainLosses[0]));
  note('loss of the last epoch', format(before.trainLosses.at(-1)), format(now.trainLosses.at(-1)));
  const rates = (run: RunFacts) => (run.layers.at(-1)?.spikeRates ?? []).map(format).join(', ');
  const spreads = (run: RunFacts) => (run.layers.at(-1)?.tauStds ?? []).map(format).join(', ');
  note('last spike rates', rates(before), rates(now));
  note('last σ(τ)', spreads(before), spreads(now));
  note('test accuracy', describeAccuracy(before), describeAccuracy(now));
  note('wrong test clips', before.test.wrong.join(', '), now.test.wrong.join(', '));
  if (before.test.list !== now.test.list)
    note('list of test clips', before.test.list.slice(0, 12), now.test.list.slice(0, 12));
  return changes;
}

function describeEvents({ events }: FramesFacts): string {
  return events === null ? 'none: still images' : `${events.off} and ${events.on}`;
}

function describeAccuracy({ test: { clips, wrong } }: RunFacts): string {
  const right = clips - wrong.length;
  return `${right} of ${clips} (${((100 * right) / clips).toFixed(1)} %)`;
}

function nameData({ dataset, simulated }: Baseline): string {
  return `${dataset}${simulated ? ', simulated' : ''}`;
}

function format(value: number | undefined): string {
  return value === undefined ? 'none' : String(Number(value.toPrecision(4)));
}

function splitOnce(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
