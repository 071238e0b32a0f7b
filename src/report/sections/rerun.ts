import type { Command, Section, Table, Text } from '../document.ts';
import { joinWords } from '../format.ts';
import type { Results } from '../results.ts';
import { SEEDS_FOR_INTERVAL } from '../seeds.ts';

/** The commands that reproduce any number in the report. */
export function describeRerun(results: Results): Section {
  const repro = (rest: string): string => `./repro ${rest}`;
  const instance = `${results.models[0]?.id ?? ''},${results.seeds[0] ?? ''}`;
  const lines: Command[] = [
    { command: repro('run'), does: 'everything that is not up to date' },
    { command: repro(`run train@${instance} --force`), does: 'train one model again' },
    { command: repro(`run evaluate@${instance} --force`), does: 'evaluate one model again' },
    { command: repro('run report --force'), does: 'this page and its figures' },
    { command: repro('metrics'), does: 'metrics of every stage' },
    { command: repro('status'), does: 'which stages are up to date, and why the others are not' },
  ];
  const instances = results.models.flatMap(({ id }) => results.seeds.map((seed) => `${id},${seed}`));
  return {
    id: 'rerun',
    title: 'Run it again',
    blocks: [
      {
        kind: 'paragraph',
        text: [
          'Give each command the same ',
          { code: '--profile' },
          ' and ',
          { code: '--set' },
          ' as the run that made this report. ',
          ...nameSettings(results),
          ' A model and a seed are written together: ',
          ...instances.flatMap((name, index) => [...(index === 0 ? [] : [', ']), { code: name }]),
          '.',
        ],
      },
      { kind: 'commands', lines },
      { kind: 'table', table: tabulateOrigins(results, instance) },
    ],
  };
}

/**
 * What is known of the run's settings, and where the rest is on record: the profile's name is in no stage's parameters, so that the
 * same settings give the same page whatever their profile is called.
 */
function nameSettings({ models, seeds }: Results): Text {
  const instance = `${models[0]?.id ?? ''},${seeds[0] ?? ''}`;
  const lengths = new Set(models.flatMap(({ runs }) => runs.map(({ metrics }) => metrics.epochs.length)));
  const epochs = lengths.size === 1 ? [`--set train.epochs=${[...lengths][0]}`] : [];
  const sets = [
    `--set models='[${models.map(({ id }) => id).join(',')}]'`,
    `--set seeds='[${seeds.join(',')}]'`,
    ...epochs,
  ];
  return [
    'Its profile is on record where it ran: ',
    { code: './repro explain report --list' },
    ' names it for every report. Models, seeds and epochs of this one are ',
    { code: sets.join(' ') },
    ', whatever the profile says. With these, ',
    { code: `./repro explain train@${instance}` },
    ' shows any other setting in which the last training differs from the profile: give it by ',
    { code: '--set' },
    ', too.',
  ];
}

/** Where each number of the report comes from, and what makes it again. */
function tabulateOrigins({ seeds, models, manifest }: Results, instance: string): Table {
  const run = '<model>/<seed>';
  const train = `./repro run train@${instance} --force`;
  const evaluate = `./repro run evaluate@${instance} --force`;
  const hasUsers = manifest.perUser.length > 0;
  const comparesClips = models.length > 1 && seeds.length < SEEDS_FOR_INTERVAL;
  const answers = [
    'accuracy by class',
    ...(hasUsers ? ['by user', 'intervals over users'] : []),
    ...(comparesClips ? ['differences between models'] : []),
  ];
  const origins: readonly (readonly [what: string, file: string, command: string])[] = [
    ['Curves over epochs: accuracy, loss, τ, spikes in training', `train/${run}/metrics.csv`, train],
    ['Settings, switches, engine, chosen epoch, maxima', `train/${run}/run.json`, train],
    [
      'Accuracy and loss at the chosen epoch, confusion matrices, spikes on the test clips',
      `evaluate/${run}/evaluation.json`,
      evaluate,
    ],
    [`Answers clip by clip: ${joinWords(answers)}`, `evaluate/${run}/predictions.csv`, evaluate],
    ['Distribution of τ', `evaluate/${run}/tau.csv`, evaluate],
    ['Data: files, clips, warnings', 'verify/manifest.json', './repro run verify --force'],
    ['Sample clips', 'frames/examples/', './repro run frames --force'],
    ['Verdicts on the claims', 'report/claims.json', './repro run report --force'],
    ['Values of a figure', 'report/figures/<figure>.csv', './repro run report --force'],
  ];
  return {
    id: 'table-origins',
    caption: 'Where each number comes from',
    columns: [{ label: 'Number' }, { label: 'File below artifacts/' }, { label: 'Makes it again' }],
    rows: origins.map((texts) => texts.map((text) => ({ text }))),
    notes: [],
  };
}
