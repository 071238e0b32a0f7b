import { titleDataset } from '../../thesis/data-sets.ts';
import { listSwitched } from '../data/compat.ts';
import { allRuns } from '../data/epochs.ts';
import { formatCount, formatPercent, joinWords } from '../data/format.ts';
import type { Results, RunResult } from '../data/results.ts';
import type { Origin } from '../inputs/origin.ts';
import type { Report } from '../page/document.ts';

/** The run at a glance: its data, models, settings and software. */
export function listFacts(results: Results, origin: Origin | null): Report['facts'] {
  const runs = allRuns(results);
  const distinct = (values: readonly string[]): string => [...new Set(values)].join(', ');
  const clips = distinct(
    runs.map(
      (run) =>
        `${formatCount(run.clips.train)} / ${formatCount(run.clips.validation)} / ${formatCount(run.clips.test)}`,
    ),
  );
  const switched = listSwitched(results);
  return [
    ...nameProfile(origin),
    {
      name: 'Data',
      value: `${results.simulated ? 'Simulated, in the layout of ' : ''}${titleDataset(results.dataset)}`,
    },
    ...listReductions(results).map((value) => ({ name: 'Reduced data', value })),
    { name: 'Clips: training / validation / test', value: clips },
    {
      name: 'Classes',
      value: `${results.classes.length}, chance ${formatPercent(1 / results.classes.length)}`,
    },
    {
      name: results.models.length === 1 ? 'Model' : 'Models',
      value: joinWords(results.models.map(({ title }) => title)),
    },
    { name: results.seeds.length === 1 ? 'Seed' : 'Seeds', value: results.seeds.join(', ') },
    ...(switched.length === 0 ? [] : [{ name: 'Compatibility switches', value: switched.join(', ') }]),
    { name: 'Epochs', value: distinct(runs.map(({ metrics }) => formatCount(metrics.epochs.length))) },
    { name: 'Parameters', value: describeParameters(results) },
    {
      name: 'Software',
      value: distinct(runs.map(({ engine }) => `${engine.name} ${engine.version} on ${engine.backend}`)),
    },
  ];
}

function nameProfile(origin: Origin | null): Report['facts'] {
  if (origin === null) return [];
  const { profile, set } = origin;
  return [{ name: 'Profile', value: set.length === 0 ? profile : `${profile}, with ${set.join(', ')}` }];
}

/** What the networks see less of than the recordings contain, as one text. */
function listReductions(results: Results): string[] {
  const runs = allRuns(results);
  const fewest = (count: (run: RunResult) => number): number => Math.min(...runs.map(count));
  const clips = [
    {
      name: 'training',
      used: fewest((run) => run.clips.train + run.clips.validation),
      of: results.manifest.splits.train,
    },
    { name: 'test', used: fewest((run) => run.clips.test), of: results.manifest.splits.test },
  ].flatMap(({ name, used, of }) =>
    used < of.clips ? [`a subset of ${formatCount(used)} of ${formatCount(of.clips)} ${name} clips`] : [],
  );
  const frames = runs.flatMap(({ frames: one }) => {
    const factor = one?.downsample;
    return typeof factor === 'number' && factor > 1
      ? [`${factor} × ${factor} pixels binned into one, to ${one?.height} × ${one?.width}`]
      : [];
  });
  const parts = [...clips, ...new Set(frames)];
  return parts.length === 0 ? [] : [joinWords(parts)];
}

/** `98 821 (Baseline); 142 062 (No Reg. and λ = .1)`, or one number for all. */
function describeParameters({ models }: Results): string {
  const titles = new Map<string, Set<string>>();
  for (const { title, runs } of models) {
    for (const { parameters } of runs) {
      const count = formatCount(parameters);
      titles.set(count, (titles.get(count) ?? new Set()).add(title));
    }
  }
  if (titles.size === 1) return [...titles.keys()].join('');
  return [...titles].map(([count, whose]) => `${count} (${joinWords([...whose])})`).join('; ');
}
