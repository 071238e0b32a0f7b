import process from 'node:process';
import { exportFigures as exportThem, type FiguresOptions } from '../../apps/figures.ts';
import { formatBytes } from '../../text.ts';
import { printJson, printWarning } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

/** `repro export figures`: the figures of a report for papers. */
export async function exportFigures(options: FiguresOptions & { readonly json?: boolean }): Promise<void> {
  const { source, figures, files, warnings } = await exportThem(options, printWarning);
  for (const warning of warnings) process.stderr.write(`${toOneLine(warning)}\n`);
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'export figures',
      source,
      figures,
      files: files.map(({ file, sizeBytes }) => ({ file, sizeBytes })),
      written: files.filter(({ isWritten }) => isWritten).length,
    });
    return;
  }
  for (const { file, sizeBytes, isWritten } of files) {
    const same = isWritten ? '' : ', as it was';
    process.stdout.write(`${toOneLine(file)}  ${formatBytes(sizeBytes)}${same}\n`);
  }
  process.stdout.write(`from ${toOneLine(source)}\n`);
}
