import { summarise } from '../../stats/means.ts';
import { formatBytes } from '../../text.ts';
import {
  tabulateClasses,
  tabulateLights,
  tabulateSplits,
  tabulateUserLights,
  tabulateUsers,
} from '../data-tables.ts';
import type { Block, Section, Text } from '../document.ts';
import { formatCount, formatQuantity } from '../format.ts';
import type { ManifestResult, Results } from '../results.ts';
import { titleDataset } from '../thesis.ts';

/** Warnings shown; a data set of many files can have one for each. */
const MOST_WARNINGS = 20;

/** The data: recordings, clips, their distribution over classes, users and lighting, and what is wrong with them. */
export function describeData(results: Results): Section {
  const { manifest } = results;
  const both = manifest.perUserLight.length > 0;
  const tables = [
    tabulateSplits(manifest),
    tabulateClasses(results),
    ...(both ? [tabulateUserLights(manifest)] : [tabulateLights(manifest), tabulateUsers(manifest)]),
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
  if (perUser.length === 0) return [];
  const { min, max } = summarise(perUser.map(({ clips }) => clips));
  const each = min === max ? formatCount(min) : `${formatCount(min)} to ${formatCount(max)}`;
  const users = formatQuantity(perUser.length, simulated ? 'simulated user' : 'user');
  return [` ${users}, ${each} clips each.`];
}
