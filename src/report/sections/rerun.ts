import * as v from 'valibot';
import { readJson } from '../../base/files/shape.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { present } from '../../verdicts/words.ts';
import type { Results } from '../data/results.ts';
import type { Command, Section, Text } from '../page/document.ts';

/** The commands that make this page and its numbers again, and the digests of what it was made from. */
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
    ...(simulated && origin?.set.includes('dataset.standIn=true') !== true ? [] : [...place, '. ']),
    '“Software” above names the engine. The commands work for any model and seed.',
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

/** The run that a report is of, as the runner knows it. */
export interface RunOrigin {
  readonly profile: string;
  /** Each `--set` that changes results of the profile, as given: `train.epochs=3`. */
  readonly set: readonly string[];
  /** sha256 of the code and the packages of the report and the stages that it depends on. */
  readonly code: string;
}

const configurationShape = v.object({ profile: v.string(), set: v.array(v.string()) });

/**
 * @param facts of the stage: `code` and `configuration`
 * @returns null if the pipeline does not give the stage these facts
 */
export function readOrigin({ code, configuration }: Readonly<Record<string, string>>): RunOrigin | null {
  if (code === undefined || configuration === undefined) return null;
  const { profile, set } = readJson(configurationShape, configuration, {
    file: 'the fact `configuration`',
    code: 'report-input',
    fix: 'It comes from the runner: run the stage by `./repro run report`.',
  });
  // Where the authors' logs lie differs from machine to machine.
  return { profile, set: set.map((one) => one.replace(/^reference\.logs=.*/s, 'reference.logs=DIR')), code };
}
