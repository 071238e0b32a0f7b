import { capitalise, formatBytes } from '../../base/text.ts';
import { nameRecordings } from '../../results/dataset-facts.ts';
import { hasFolds } from '../../results/thesis/published.ts';
import { summarise } from '../../verdicts/stats/means.ts';
import { formatQuantity, groupDigits } from '../../verdicts/words.ts';
import type { ManifestResult, Results } from '../data/results.ts';
import {
  type Block,
  makeTable,
  numberColumn,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

const FOLDS = 'This run does not use the official split of the table: each seed tests a fold of users.';

/** Warnings shown; a data set of many files can have one for each. */
const MOST_WARNINGS = 20;

/** The data: recordings, clips, and what is wrong with them. */
export function describeData(results: Results): Section {
  const { manifest } = results;
  return {
    id: 'data',
    title: 'Data',
    blocks: [
      { kind: 'paragraph', text: describeFiles(results) },
      ...describeWarnings(manifest),
      ...(hasFolds(results) ? [{ kind: 'paragraph', text: [FOLDS] } as const] : []),
      { kind: 'table', table: tabulateSplits(manifest) },
    ],
  };
}

function describeWarnings({ warnings }: ManifestResult): Block[] {
  if (warnings.length === 0) return [{ kind: 'paragraph', text: ['Checking the data gave no warnings.'] }];
  const rest = warnings.length - MOST_WARNINGS;
  const items = warnings.slice(0, MOST_WARNINGS).map(splitWarning);
  const file = { code: 'artifacts/verify/manifest.json' };
  return [
    {
      kind: 'paragraph',
      text: [`Checking the data gave ${formatQuantity(warnings.length, 'warning')}:`],
    },
    { kind: 'list', items: rest > 0 ? [...items, [`${groupDigits(rest)} more, in `, file, '.']] : items },
  ];
}

/** A warning starts with its place, followed by two spaces. */
function splitWarning(warning: string): Text {
  const [, place, what] = /^(\S+) {2}(.*)$/s.exec(warning) ?? [];
  return place === undefined || what === undefined ? [warning] : [{ code: place }, ` ${what}`];
}

function describeFiles({ dataset, simulated, manifest }: Results): Text {
  const name = capitalise(nameRecordings(dataset, simulated));
  const source = `${name}${manifest.archive ? ', read from its archive' : ''}`;
  const unlisted =
    manifest.unlisted === 0
      ? ''
      : `; ${groupDigits(manifest.unlisted)} of them do not belong to it and are not used`;
  const perUser = Object.values(manifest.perUser);
  const text = `${source}: ${formatQuantity(manifest.files, 'file')}, ${formatBytes(manifest.sizeBytes)}${unlisted}.`;
  if (perUser.length === 0) return [text];
  const { min, max } = summarise(perUser);
  const each = min === max ? groupDigits(min) : `${groupDigits(min)} to ${groupDigits(max)}`;
  const users = formatQuantity(perUser.length, simulated ? 'simulated user' : 'user');
  return [text, ` ${users}, ${each} clips each.`];
}

/** Recordings and clips of the two published splits. */
function tabulateSplits({ splits: { train, test } }: ManifestResult): Table {
  const total = { recordings: train.recordings + test.recordings, clips: train.clips + test.clips };
  return makeTable(
    { id: 'table-splits', caption: 'Recordings and clips' },
    [
      { name: 'Training and validation', ...train },
      { name: 'Test', ...test },
      { name: 'Total', ...total },
    ],
    [
      textColumn('Split', ({ name }) => name),
      numberColumn('Recordings', ({ recordings }) => groupDigits(recordings)),
      numberColumn('Clips', ({ clips }) => groupDigits(clips)),
    ],
  );
}
