import process from 'node:process';
import {
  type DataOptions,
  describeDataset as describe,
  listDatasets as list,
  showPath,
} from '../../apps/datasets.ts';
import { printJson, printLines } from '../view/print.ts';
import { alignTable } from '../view/table.ts';

type Options = DataOptions & { readonly json?: boolean };

/** `repro data list` */
export function listDatasets(options: Options): void {
  const datasets = list(options);
  if (options.json === true) {
    printJson({ version: 1, command: 'data list', datasets });
    return;
  }
  const count = (clips: number): string => clips.toLocaleString('en-US');
  const rows = [
    ['name', 'what', 'classes', 'training + test', 'to get it', 'here'],
    ...datasets.map(({ name, kind, classes, clips, fetch, root, present }) => [
      name,
      kind === 'events' ? 'event recordings' : 'still images',
      String(classes),
      `${count(clips.train)} + ${count(clips.test)}`,
      fetch ? `repro data fetch ${name}` : 'by hand',
      present ? showPath(root) : '-',
    ]),
  ];
  for (const line of alignTable(rows)) process.stdout.write(`${line}\n`);
  process.stdout.write(`\n${datasets.length} data sets; \`repro data info NAME\` says more about one.\n`);
}

/** `repro data info NAME` */
export async function describeDataset(name: string, options: Options): Promise<void> {
  const { lines, howToGet, document } = await describe(name, options);
  if (options.json === true) {
    printJson({ version: 1, command: 'data info', ...document });
    return;
  }
  printLines(lines);
  process.stdout.write(`\n${howToGet}\n`);
}
