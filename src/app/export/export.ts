import { formatBytes, formatCount } from '../../base/text.ts';
import { printResult, printWarning, toOneLine } from '../view/print.ts';
import { type CrateOptions, packCrate } from './crate.ts';
import { convertFigures, type FiguresOptions } from './figures.ts';

/** `repro export figures`: the figures of a report for papers. */
export async function exportFigures(options: FiguresOptions): Promise<void> {
  const files = await convertFigures(options);
  printResult(options, 'export figures', { files }, () =>
    files.map(({ file, sizeBytes }) => `${toOneLine(file)}  ${formatBytes(sizeBytes)}`),
  );
}

/** `repro export crate`: a finished run in one zip. */
export async function exportCrate(options: CrateOptions): Promise<void> {
  const { file, files, sizeBytes, about } = await packCrate(options, printWarning);
  printResult(options, 'export crate', { file, files, sizeBytes, about }, () => [
    `${file}: ${formatCount(files, 'file')}, ${formatBytes(sizeBytes)}`,
    about,
  ]);
}
