import { quoteWords } from '../../files/shell-words.ts';
import { joinWords, present } from '../data/format.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import type { Results } from '../data/results.ts';
import type { RunOrigin } from '../inputs/origin.ts';
import {
  type Command,
  makeTable,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

/** The commands that make this page and each of its numbers again, and the digests that prove it. */
export function describeRerun(results: Results, origin: RunOrigin | null): Section {
  const instance = `${results.models[0]?.id ?? ''},${results.seeds[0] ?? ''}`;
  const options =
    origin === null
      ? ''
      : ` ${quoteWords(['--profile', origin.profile, ...origin.set.flatMap((one) => ['--set', one])])}`;
  const line = (rest: string, does: string): Command => ({ command: `./repro ${rest}`, does });
  const lines = [
    line(`run${options}`, 'makes this page again from the data; byte for byte on the same engine'),
    line(
      `check${options}`,
      'compares each number with the committed baseline of these settings, if there is one; other engines may differ slightly',
    ),
    line(`status${options}`, 'shows which stages are up to date, and why others are not'),
    line(`metrics${options}`, 'shows what every stage measured'),
    line(`run train@${instance}${options} --force`, 'trains one model again'),
    line(`run evaluate@${instance}${options} --force`, 'evaluates one model again'),
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

function explainCommands({ simulated }: Results, origin: RunOrigin | null): Text {
  const options = ['Give it the ', { code: '--profile' }, ' and ', { code: '--set' }];
  const place = ['If the data are not where the profile says, add ', { code: '--set dataset.root=DIR' }];
  return [
    'In a clone of the project, after ',
    { code: 'npm ci' },
    ', the first command makes this page again, with your own models and stages, if you have any. ',
    ...(origin === null ? [...options, ' of the run that made this page. '] : []),
    ...(simulated ? [] : [...place, '. ']),
    '“Environment” names the engine. The commands work for any model and seed; those in the table below take the same options.',
  ];
}

function listDigests({ manifest }: Results, origin: RunOrigin | null): Text[] {
  return present<Text>(
    [
      { strong: 'Data: ' },
      { code: manifest.sha256 },
      ' is the sha256 of ',
      { code: 'artifacts/verify/manifest.json' },
      ', which has a checksum of every file.',
    ],
    origin && [
      { strong: 'Code: ' },
      { code: origin.code },
      ' is the digest of the sources of this stage and those that it depends on, and the versions of their packages. With other code, ',
      { code: './repro status' },
      ' says that this page is out of date.',
    ],
  );
}

function tabulateDigests({ models }: Results): Table {
  const note = [
    { code: 'sha256sum artifacts/train/*/*/best.safetensors' },
    ' prints them in full. Equal digests mean equal results; ',
    { code: './repro check' },
    ' judges different ones.',
  ];
  // Enough digits that no two files share them by chance.
  const start = (digest: string): string => digest.slice(0, 16);
  return makeTable(
    { id: 'table-digests', caption: 'Results: the first 16 digits of sha256', notes: [note] },
    models.flatMap(({ id, runs }) => runs.map(({ seed, digests }) => ({ run: `${id},${seed}`, ...digests }))),
    [
      textColumn('Model and seed', ({ run }) => run),
      textColumn('Weights: best.safetensors', ({ weights }) => start(weights)),
      textColumn('Curves: metrics.csv', ({ metrics }) => start(metrics)),
      textColumn('Answers: predictions.csv', ({ predictions }) => start(predictions)),
    ],
  );
}

/** Where each number of the report comes from, and the command that makes it again. */
function tabulateOrigins({ seeds, models, manifest }: Results, instance: string): Table {
  const run = '<model>/<seed>';
  const answers = present(
    'accuracy by class',
    ...(Object.keys(manifest.perUser).length > 0 ? ['by user', 'intervals over users'] : []),
    models.length > 1 && seeds.length < SEEDS_FOR_INTERVAL && 'differences between models',
  );
  const [train, evaluate] = [`train@${instance}`, `evaluate@${instance}`];
  const evaluated = 'Accuracy and loss at the chosen epoch, confusion matrices, spikes on the test clips';
  const origins: readonly (readonly [what: string, file: string, stage: string])[] = [
    ['Curves over epochs: accuracy, loss, τ, spikes in training', `train/${run}/metrics.csv`, train],
    ['Settings, switches, engine, chosen epoch, maxima', `train/${run}/run.json`, train],
    [evaluated, `evaluate/${run}/evaluation.json`, evaluate],
    [`Answers clip by clip: ${joinWords(answers)}`, `evaluate/${run}/predictions.csv`, evaluate],
    ['Distribution of τ', `evaluate/${run}/tau.csv`, evaluate],
    ['Data: files, clips, warnings', 'verify/manifest.json', 'verify'],
    ['Sample clips', 'frames/examples/', 'frames'],
    ['Verdicts on the claims', 'report/claims.json', 'report'],
    ['Values of a figure', 'report/figures/<figure>.csv', 'report'],
  ];
  return makeTable({ id: 'table-origins', caption: 'Where each number comes from' }, origins, [
    textColumn('Number', ([what]) => what),
    textColumn('File below artifacts/', ([, file]) => file),
    textColumn('Makes it again', ([, , stage]) => `./repro run ${stage} --force`),
  ]);
}
