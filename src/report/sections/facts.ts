import { capitalise } from '../../base/text.ts';
import { audioOf, nameRecordings, nameSensor } from '../../results/dataset-facts.ts';
import { nameEngine } from '../../results/run-file.ts';
import { hasFolds } from '../../results/thesis/published.ts';
import { formatShare, groupDigits, groupTitles, joinWords, present } from '../../verdicts/words.ts';
import { allRuns } from '../data/epochs.ts';
import type { Results, RunResult } from '../data/results.ts';
import { nameSwitched } from '../data/settings.ts';
import type { Report } from '../page/document.ts';
import type { RunOrigin } from './rerun.ts';

/** The run at a glance: its data, models, settings and software. */
export function listFacts(results: Results, origin: RunOrigin | null): Report['facts'] {
  const { models, seeds, classes } = results;
  const runs = allRuns(results);
  const distinct = (show: (run: RunResult) => string): string => [...new Set(runs.map(show))].join(', ');
  const overrides = origin === null || origin.set.length === 0 ? '' : `, with ${origin.set.join(', ')}`;
  const splits = ({ clips }: RunResult) =>
    [clips.train, clips.validation, clips.test].map(groupDigits).join(' / ');
  const facts: readonly (readonly [name: string, value: string])[] = [
    ['Profile', origin === null ? '' : origin.profile + overrides],
    ['Data', capitalise(nameRecordings(results.dataset, results.simulated))],
    ['Sensor', describeSensor(results)],
    ['Licence of the recordings', results.simulated ? '' : results.dataset.licence],
    ['Reduced data', describeReductions(results)],
    ['Clips: training / validation / test', distinct(splits)],
    ['Classes', `${classes.length}, chance ${formatShare(1 / classes.length)}`],
    [models.length === 1 ? 'Model' : 'Models', joinWords(models.map(({ title }) => title))],
    [seeds.length === 1 ? 'Seed' : 'Seeds', seeds.join(', ')],
    ['Compatibility switches', nameSwitched(results).join(', ')],
    ['Epochs', distinct(({ metrics }) => groupDigits(metrics.epochs.length))],
    ['Parameters', describeParameters(results)],
    ['Software', distinct(({ engine }) => nameEngine(engine))],
  ];
  return facts.filter(([, value]) => value !== '').map(([name, value]) => ({ name, value }));
}

function describeSensor({ dataset }: Results): string {
  if (dataset.kind === 'images') return '';
  return nameSensor(dataset.sensor, audioOf(dataset) !== undefined);
}

/** What the networks see less of than the recordings contain; empty if they see all. */
function describeReductions(results: Results): string {
  const runs = allRuns(results);
  const { train, test } = results.manifest.splits;
  const describeSubset = (name: string, all: number, count: (run: RunResult) => number) => {
    const used = Math.min(...runs.map(count));
    return used < all && `a subset of ${groupDigits(used)} of ${groupDigits(all)} ${name} clips`;
  };
  const frames = runs.flatMap(({ frames: { downsample, height, width } }) =>
    downsample > 1 ? [`${downsample} × ${downsample} pixels binned into one, to ${width} × ${height}`] : [],
  );
  const parts = present(
    hasFolds(results)
      ? describeSubset('available', train.clips + test.clips, ({ clips: { train, validation, test } }) => {
          return train + validation + test;
        })
      : describeSubset('training', train.clips, ({ clips }) => clips.train + clips.validation),
    !hasFolds(results) && describeSubset('test', test.clips, ({ clips }) => clips.test),
    ...new Set(frames),
  );
  return joinWords(parts);
}

/** `98 821 (Baseline); 142 062 (No Reg. and λ = .1)`, or one number for all. */
function describeParameters({ models }: Results): string {
  const counts = models.flatMap(({ title, runs }) =>
    runs.map(({ parameters }) => [groupDigits(parameters), title] as const),
  );
  const groups = groupTitles(counts);
  return groups
    .map(([count, titles]) => (groups.length === 1 ? count : `${count} (${joinWords(titles)})`))
    .join('; ');
}
