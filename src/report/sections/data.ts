import { summarise } from '../../stats/summary.ts';
import { tabulateClasses, tabulateLights, tabulateSplits } from '../data-tables.ts';
import type { Block, Section, Text } from '../document.ts';
import { formatBytes, formatCount, formatQuantity } from '../format.ts';
import type { ManifestResult, Results } from '../results.ts';
import { titleDataset } from '../thesis.ts';

/** The data: recordings, clips, and their distribution over classes and lighting. */
export function describeData(results: Results): Section {
  const { manifest } = results;
  const tables = [tabulateSplits(manifest), tabulateLights(manifest), tabulateClasses(results)];
  const warnings: Block[] =
    manifest.warnings.length === 0
      ? []
      : [
          { kind: 'paragraph', text: ['Warnings from checking the data:'] },
          { kind: 'list', items: manifest.warnings.map((warning) => [warning]) },
        ];
  return {
    id: 'data',
    title: 'Data',
    blocks: [
      { kind: 'paragraph', text: describeFiles(results) },
      ...warnings,
      { kind: 'tables', tables: tables.filter(({ rows }) => rows.length > 0) },
    ],
  };
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
