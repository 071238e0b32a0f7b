import { existsSync } from 'node:fs';
import process from 'node:process';
import type { Dataset } from '../../datasets/contract/dataset.ts';
import { showPath } from '../../datasets/contract/how-to-get.ts';
import { formatCount } from '../../datasets/contract/problems.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { printJson } from '../load.ts';
import { type DataOptions, rootOf } from './root.ts';

/** `repro data list` */
export async function listDatasets(options: DataOptions): Promise<void> {
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'data list',
      datasets: DATASETS.map((dataset) => ({
        name: dataset.name,
        title: dataset.title,
        kind: dataset.kind,
        classes: dataset.classes.length,
        clips: dataset.published,
        licence: dataset.licence,
        fetch: isFetched(dataset),
        profile: dataset.profile,
        root: rootOf(dataset, options),
        present: existsSync(rootOf(dataset, options)),
      })),
    });
    return;
  }
  const rows = [
    ['name', 'what', 'classes', 'training + test', 'to get it', 'here'],
    ...DATASETS.map((dataset) => [
      dataset.name,
      dataset.kind === 'events' ? 'event recordings' : 'still images',
      String(dataset.classes.length),
      `${count(dataset.published.train)} + ${count(dataset.published.test)}`,
      isFetched(dataset) ? `repro data fetch ${dataset.name}` : 'by hand',
      existsSync(rootOf(dataset, options)) ? showPath(rootOf(dataset, options)) : '-',
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
  process.stdout.write(
    `\n${formatCount(DATASETS.length, 'data set')}; \`repro data info NAME\` says more about one.\n`,
  );
}

function count(clips: number): string {
  return clips.toLocaleString('en-US');
}

/** Whether all its files can be downloaded directly. */
export function isFetched({ files }: Dataset): boolean {
  return files.length > 0 && files.every(({ urls }) => urls.length > 0);
}
