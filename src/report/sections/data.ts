import { isDeepStrictEqual } from 'node:util';
import { summarise } from '../../stats/means.ts';
import { formatBytes } from '../../text.ts';
import { titleDataset } from '../../thesis/data-sets.ts';
import { formatCount, formatQuantity, joinWords } from '../data/format.ts';
import type { ManifestResult, Results } from '../data/results.ts';
import { type Block, type Cell, MISSING, type Section, type Table, type Text } from '../page/document.ts';

/** Warnings shown; a data set of many files can have one for each. */
const MOST_WARNINGS = 20;

/** The data: recordings, clips, their distribution over classes, users and lighting, and what is wrong with them. */
export function describeData(results: Results): Section {
  const { manifest } = results;
  const tables = [
    tabulateSplits(manifest),
    tabulateClasses(results),
    ...(manifest.perUserLight === undefined ? [] : [tabulateUserLights(manifest)]),
  ];
  return {
    id: 'data',
    title: 'Data',
    blocks: [
      { kind: 'paragraph', text: describeFiles(results) },
      ...describeWarnings(manifest),
      { kind: 'tables', tables: tables.filter(({ rows }) => rows.length > 0) },
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
    { kind: 'list', items: rest > 0 ? [...items, [`${formatCount(rest)} more, in `, file, '.']] : items },
  ];
}

/** A warning starts with its place, followed by two spaces. */
function splitWarning(warning: string): Text {
  const [, place, what] = /^(\S+) {2}(.*)$/s.exec(warning) ?? [];
  return place === undefined || what === undefined ? [warning] : [{ code: place }, ` ${what}`];
}

function describeFiles({ dataset, simulated, manifest }: Results): Text {
  const source = simulated
    ? `Simulated recordings in the layout of ${titleDataset(dataset)}`
    : `${titleDataset(dataset)}${manifest.archive ? ', read from its archive' : ''}`;
  const unlisted =
    manifest.unlisted === 0
      ? ''
      : `; ${formatCount(manifest.unlisted)} of them do not belong to it and are not used`;
  return [
    `${source}: ${formatQuantity(manifest.files, 'file')}, ${formatBytes(manifest.sizeBytes)}${unlisted}.`,
    ...describeUsers(manifest, simulated),
  ];
}

function describeUsers({ perUser }: ManifestResult, simulated: boolean): string[] {
  const counts = Object.values(perUser);
  if (counts.length === 0) return [];
  const { min, max } = summarise(counts);
  const each = min === max ? formatCount(min) : `${formatCount(min)} to ${formatCount(max)}`;
  const users = formatQuantity(counts.length, simulated ? 'simulated user' : 'user');
  return [` ${users}, ${each} clips each.`];
}

/** Recordings and clips of the two published splits. */
function tabulateSplits({ splits: { train, test } }: ManifestResult): Table {
  const row = (name: string, recordings: number, clips: number) => [
    { text: name },
    { text: formatCount(recordings) },
    { text: formatCount(clips) },
  ];
  return {
    id: 'table-splits',
    caption: 'Recordings and clips',
    columns: [{ label: 'Split' }, { label: 'Recordings', numeric: true }, { label: 'Clips', numeric: true }],
    rows: [
      row('Training and validation', train.recordings, train.clips),
      row('Test', test.recordings, test.clips),
      row('Total', train.recordings + test.recordings, train.clips + test.clips),
    ],
    notes: [],
  };
}

/**
 * Clips of each class. The splits are listed separately if the confusion matrices cover all classes and test clips of the manifest: then
 * their rows count the test clips. With a limit on the clips of a class, they do not.
 */
export function tabulateClasses({ manifest, classes, models }: Results): Table {
  const confusion = models[0]?.runs[0]?.confusion ?? [];
  const tested = confusion.flat().reduce((sum, count) => sum + count, 0);
  const known =
    tested === manifest.splits.test.clips && isDeepStrictEqual(Object.keys(manifest.perClass), [...classes]);
  const total = { label: 'Total', numeric: true };
  return {
    id: 'table-classes',
    caption: 'Clips per class',
    columns: known
      ? [
          { label: 'Class' },
          { label: 'Training and validation', numeric: true },
          { label: 'Test', numeric: true },
          total,
        ]
      : [{ label: 'Class' }, total],
    rows: Object.entries(manifest.perClass).map(([key, clips], index) => {
      const test = confusion[index]?.reduce((sum, count) => sum + count, 0) ?? 0;
      const splits = known ? [{ text: formatCount(clips - test) }, { text: formatCount(test) }] : [];
      return [{ text: key }, ...splits, { text: formatCount(clips) }];
    }),
    notes: [],
  };
}

/** Clips of each user under each light, with sums; a dash where nothing was recorded. */
function tabulateUserLights({ perUserLight = {}, perLight, perUser }: ManifestResult): Table {
  const lights = Object.keys(perLight);
  const users = Object.keys(perUserLight);
  const cell = (clips = 0): Cell => (clips === 0 ? MISSING : { text: formatCount(clips) });
  const gaps = lights.flatMap((light) => {
    const without = users.filter((user) => !perUserLight[user]?.[light]);
    return without.length === 0 ? [] : [{ light, users: without }];
  });
  const rows = users.map((user) => [
    { text: user },
    ...lights.map((light) => cell(perUserLight[user]?.[light])),
    cell(perUser[user]),
  ]);
  const counts = Object.values(perLight);
  const total = [
    { text: 'Total' },
    ...counts.map((clips) => cell(clips)),
    cell(counts.reduce((sum, clips) => sum + clips, 0)),
  ];
  return {
    id: 'table-users-lights',
    caption: 'Clips by user and lighting',
    columns: [
      { label: 'User' },
      ...lights.map((label) => ({ label, numeric: true })),
      { label: 'Total', numeric: true },
    ],
    rows: [...rows, total],
    notes: gaps.length === 0 ? [] : [[describeGaps(gaps, users.length * lights.length)]],
  };
}

function describeGaps(
  gaps: readonly { readonly light: string; readonly users: readonly string[] }[],
  combinations: number,
): string {
  const count = gaps.reduce((sum, { users }) => sum + users.length, 0);
  const list = gaps.map(({ light, users }) => `${light} of ${joinWords(users)}`).join('; ');
  return `${formatCount(count)} of ${formatCount(combinations)} combinations have no clips: ${list}.`;
}
