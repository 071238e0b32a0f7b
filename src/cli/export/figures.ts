import { exportFigures as exportThem, type FiguresOptions } from '../../apps/figures.ts';
import { formatBytes } from '../../text.ts';
import { printResult, toOneLine } from '../view/print.ts';

/** `repro export figures`: the figures of a report for papers. */
export async function exportFigures(options: FiguresOptions): Promise<void> {
  const { source, figures, files } = await exportThem(options);
  const document = {
    source,
    figures,
    files: files.map(({ file, sizeBytes }) => ({ file, sizeBytes })),
    written: files.filter(({ isWritten }) => isWritten).length,
  };
  printResult(options, 'export figures', document, () => [
    ...files.map(
      ({ file, sizeBytes, isWritten }) =>
        `${toOneLine(file)}  ${formatBytes(sizeBytes)}${isWritten ? '' : ', as it was'}`,
    ),
    `from ${toOneLine(source)}`,
  ]);
}
