import { quoteWords } from '../../files/shell-words.ts';
import { joinWords } from '../data/format.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import type { Results } from '../data/results.ts';
import type { Origin } from '../inputs/origin.ts';
import {
  type Command,
  makeTable,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

/** The commands that make this page and each of its numbers again, and the digests that prove it. */
export function describeRerun(results: Results, origin: Origin | null): Section {
  const instance = `${results.models[0]?.id ?? ''},${results.seeds[0] ?? ''}`;
  const options = origin === null ? '' : listOptions(origin);
  const repro = (rest: string): string => `./repro ${rest}`;
  const lines: Command[] = [
    {
      command: repro(`run${options}`),
      does: 'makes this page again from the data; byte for byte on the same engine',
    },
    {
      command: repro(`check${options}`),
      does: 'compares each number with the committed baseline of these settings, if there is one; other engines may differ slightly',
    },
    {
      command: repro(`status${options}`),
      does: 'shows which stages are up to date, and why others are not',
    },
    { command: repro(`metrics${options}`), does: 'shows what every stage measured' },
    { command: repro(`run train@${instance}${options} --force`), does: 'trains one model again' },
    { command: repro(`run evaluate@${instance}${options} --force`), does: 'evaluates one model again' },
  ];
  return {
    id: 'rerun',
    title: 'Run it again',
    blocks: [
      { kind: 'paragraph', text: explainCommands(results, origin) },
      { kind: 'commands', lines },
      { kind: 'list', items: listDigests(results, origin) },
      { kind: 'table', table: tabulateDigests(results) },
      { kind: 'table', table: tabulateOrigins(results, instance) },
    ],
  };
}

function explainCommands({ simulated }: Results, origin: Origin | null): Text {
  return [
    'In a clone of the project, after ',
    { code: 'npm ci' },
    ', the first command makes this page again. It needs your own models and stages, if you have any. ',
    ...(origin === null
      ? [
          'Give it the ',
          { code: '--profile' },
          ' and ',
          { code: '--set' },
          ' of the run that made this page. ',
        ]
      : []),
    ...(simulated
      ? []
      : ['If the data are not where the profile says, add ', { code: '--set dataset.root=DIR' }, '. ']),
    '“Environment” names the engine. The commands work for any model and seed; those in the table below take the same options.',
  ];
}

/** ` --profile quick --set train.epochs=3`, quoted for a shell. */
function listOptions({ profile, set }: Origin): string {
  return ` ${quoteWords(['--profile', profile, ...set.flatMap((one) => ['--set', one])])}`;
}

function listDigests({ manifest }: Results, origin: Origin | null): Text[] {
  return [
    [
      { strong: 'Data: ' },
      { code: manifest.sha256 },
      ' is the sha256 of ',
      { code: 'artifacts/verify/manifest.json' },
      ', which has a checksum of every file.',
    ],
    ...(origin === null
      ? []
      : [
          [
            { strong: 'Code: ' },
            { code: origin.code },
            ' is the digest of the sources of all stages and the versions of their packages. With other code, ',
            { code: './repro status' },
            ' says that this page is out of date.',
          ],
        ]),
  ];
}

/** Enough that no two files share them by chance. */
const DIGEST_DIGITS = 16;

function tabulateDigests({ models }: Results): Table {
  const note = [
    { code: 'sha256sum artifacts/train/*/*/best.safetensors' },
    ' prints them in full. Equal digests mean equal results; ',
    { code: './repro check' },
    ' judges different ones.',
  ];
  return makeTable(
    { id: 'table-digests', caption: 'Results: the first 16 digits of sha256', notes: [note] },
    models.flatMap(({ id, runs }) => runs.map((run) => ({ id, ...run }))),
    [
      textColumn('Model and seed', ({ id, seed }) => `${id},${seed}`),
      textColumn('Weights: best.safetensors', ({ digests }) => digests.weights.slice(0, DIGEST_DIGITS)),
      textColumn('Curves: metrics.csv', ({ digests }) => digests.metrics.slice(0, DIGEST_DIGITS)),
      textColumn('Answers: predictions.csv', ({ digests }) => digests.predictions.slice(0, DIGEST_DIGITS)),
    ],
  );
}

/** Where each number of the report comes from, and the command that makes it again. */
function tabulateOrigins({ seeds, models, manifest }: Results, instance: string): Table {
  const run = '<model>/<seed>';
  const train = `./repro run train@${instance} --force`;
  const evaluate = `./repro run evaluate@${instance} --force`;
  const hasUsers = Object.keys(manifest.perUser).length > 0;
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
  return makeTable({ id: 'table-origins', caption: 'Where each number comes from' }, origins, [
    textColumn('Number', ([what]) => what),
    textColumn('File below artifacts/', ([, file]) => file),
    textColumn('Makes it again', ([, , command]) => command),
  ]);
}
