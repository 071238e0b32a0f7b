import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import * as v from 'valibot';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { kindOfPath } from '../../base/files/folders.ts';
import type { Value } from '../../base/files/shape.ts';
import { formatBytes } from '../../base/text.ts';
import { readResult } from '../../results/result-file.ts';
import { describeConfiguration, openRecords } from '../../runner/store/records.ts';
import { findProjectRoot, type PipelineOptions } from '../project/load-plan.ts';
import type { figureFormats } from '../project/option-choices.ts';
import { printResult, printWarning, toOneLine } from '../view/print.ts';

type Format = (typeof figureFormats)[number];

interface FiguresOptions extends Pick<PipelineOptions, 'project' | 'json'> {
  /** A folder with a report; default: that of the last run. */
  readonly report?: string;
  readonly figure: readonly string[];
  readonly format: Format;
  readonly out: string;
  readonly force?: boolean;
}

/** A figure in `figures/index.json` of a report; its file is `<id>.svg`. */
const shape = v.object({ id: v.string(), title: v.string(), alt: v.string() });
type ListedFigure = Value<typeof shape>;

/**
 * `repro export figures`: the figures of a report for papers. Nothing is written unless everything can be.
 *
 * @throws {ReproError} `figure-file`; `usage` for a figure that the report has not; `output-exists`; `missing-package`
 */
export async function exportFigures(options: FiguresOptions): Promise<void> {
  const { project, format, out, force = false } = options;
  const report = options.report ?? findReport(findProjectRoot(project ?? process.cwd()));
  const folder = path.join(report, 'figures');
  const index = path.join(folder, 'index.json');
  const source = { file: index, text: await readFigureFile(index), fix: makeAgain, code: 'figure-file' };
  const { figures } = readResult(source, v.object({ figures: v.array(shape) }));
  const files: { file: string; content: string | Uint8Array }[] = [];
  for (const { id, title, alt } of chooseFigures(figures, options.figure)) {
    const file = path.join(folder, `${id}.svg`);
    const content = await convertFigure({ title, alt, file, svg: await readFigureFile(file) }, format);
    files.push({ file: path.join(out, `${id}.${format}`), content });
  }
  for (const { file, content } of files) {
    if (force || (await kindOfPath(file)) === null || (await holds(file, content))) continue;
    const fix = 'Choose another folder with --out, or replace it with --force.';
    throw new ReproError('output-exists', 'this file already exists; nothing was written.', {
      where: file,
      fix,
    });
  }
  for (const { file, content } of files) await writeFileAtomic(file, content);
  const written = files.map(({ file, content }) => ({ file, sizeBytes: Buffer.byteLength(content) }));
  printResult(options, 'export figures', { files: written }, () =>
    written.map(({ file, sizeBytes }) => `${toOneLine(file)}  ${formatBytes(sizeBytes)}`),
  );
}

/** Whether an earlier export left the same bytes there. */
async function holds(file: string, content: string | Uint8Array): Promise<boolean> {
  return readFile(file).then(
    (found) => found.equals(Buffer.from(content)),
    () => false,
  );
}

/** Where the report of the last run is. Warns if that was a trial. */
function findReport(projectRoot: string): string {
  const record = openRecords({ projectRoot }).findLast('report');
  if (record?.overrides !== undefined) printWarning(`this report is of ${describeConfiguration(record)}`);
  return path.join(projectRoot, 'artifacts/report');
}

const makeAgain = 'Make the report again with this version: ./repro run report --force';

async function readFigureFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    const problem = hasErrorCode(cause, 'ENOENT', 'ENOTDIR') ? 'this file is missing' : String(cause);
    const fix = 'Make the report: ./repro run report. Or name a folder with one: --report DIR.';
    throw new ReproError('figure-file', problem, { where: file, fix, cause });
  });
}

/** Those with these ids, with or without the mark of simulated data, in the order of the report; without ids, all. */
export function chooseFigures(figures: readonly ListedFigure[], ids: readonly string[]): ListedFigure[] {
  const isMeant = (figure: ListedFigure, id: string) => figure.id === id || figure.id === `simulated-${id}`;
  const unknown = ids.find((id) => !figures.some((figure) => isMeant(figure, id)));
  if (unknown !== undefined) {
    throw new ReproError('usage', `the report has no figure "${unknown}"`, {
      where: `--figure ${unknown}`,
      fix: `There are ${figures.map((figure) => figure.id).join(', ')}.`,
    });
  }
  return figures.filter((figure) => ids.length === 0 || ids.some((id) => isMeant(figure, id)));
}

/** A figure as the report has it. */
interface StoredFigure {
  readonly title: string;
  readonly alt: string;
  /** For errors. */
  readonly file: string;
  readonly svg: string;
}

/** The font of PDF files, which comes with pdfmake; SVG files name families that are on most machines. */
const family = 'Roboto';
const commonFonts = 'Arial, Helvetica, sans-serif';

/**
 * A figure for a paper: on white, in the light colours, as large as it is drawn, without its title, which is the paper's caption. The same
 * figure gives the same bytes.
 *
 * @throws {ReproError} `missing-package`, `figure-file`
 */
export async function convertFigure(figure: StoredFigure, format: Format): Promise<string | Uint8Array> {
  const sheet = prepareSheet(figure, format === 'pdf' ? family : commonFonts);
  return format === 'pdf' ? writePdf(sheet, figure) : sheet.svg;
}

interface Sheet {
  readonly svg: string;
  /** px */
  readonly width: number;
  readonly height: number;
}

/** The parts of a figure's file, as `src/report/drawing/sheet.ts` writes them. */
const patterns = {
  root: /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="([\d.]+)" height="([\d.]+)" viewBox="[\d. ]+" role="img">/,
  end: /<\/g>\n<\/svg>\n*$/,
  fonts: /(<g )font-family="[^"]*"/,
  title: /<text data-part="title" data-height="(\d+)"[^>]*>[^<]*<\/text>\n?/,
};

/** Of the margin around a figure, px: papers have their own. */
const cutMargin = 16;

/** @throws {ReproError} `figure-file` if it is not a whole figure that this version of the report writes */
function prepareSheet({ file, svg: content }: StoredFigure, fonts: string): Sheet {
  const [root, title] = [patterns.root.exec(content), patterns.title.exec(content)];
  const isWhole =
    patterns.end.test(content) && content.split('<svg ').length === content.split('</svg>').length;
  if (root === null || title === null || !patterns.fonts.test(content) || !isWhole) {
    const problem =
      'this is not a whole figure as the report writes them: another program wrote it, or it was cut off';
    throw new ReproError('figure-file', problem, { where: file, fix: makeAgain });
  }
  const top = Number(title[1]) + cutMargin;
  const [width, height] = [Number(root[1]) - 2 * cutMargin, Number(root[2]) - top - cutMargin];
  const start = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${cutMargin} ${top} ${width} ${height}" role="img">`;
  const svg = content
    .replace(patterns.root, () => start)
    .replace(patterns.title, '')
    .replace(patterns.fonts, (_, before: string) => `${before}font-family="${fonts}"`);
  return { svg, width, height };
}

const pointsPerPx = 72 / 96;

async function writePdf({ svg, width, height }: Sheet, { title, alt }: StoredFigure): Promise<Uint8Array> {
  const { default: pdfmake } = await import('pdfmake').catch((cause: unknown) => {
    throw new ReproError(
      'missing-package',
      'PDF needs the optional package pdfmake, which cannot be loaded',
      {
        fix: 'Install all packages, with the optional ones: npm ci --include=optional. SVG needs none.',
        cause,
      },
    );
  });
  // Weight 400, and 500 for titles.
  const [regular, bold] = ['Regular', 'Medium'].map((weight) =>
    createRequire(import.meta.url).resolve(`pdfmake/fonts/Roboto/Roboto-${weight}.ttf`),
  ) as [string, string];
  pdfmake.addFonts({ [family]: { normal: regular, bold, italics: regular, bolditalics: bold } });
  pdfmake.setLocalAccessPolicy((file) => file === regular || file === bold);
  pdfmake.setUrlAccessPolicy(() => false);
  const size = { width: width * pointsPerPx, height: height * pointsPerPx };
  // Roboto has no arrow and no narrow no-break space. A thin space is as wide, and lines in a figure do not break.
  const known = svg.replaceAll('\u202f', '\u2009').replaceAll('→', '›');
  return pdfmake
    .createPdf({
      pageSize: size,
      pageMargins: 0,
      content: [{ svg: known, ...size }],
      defaultStyle: { font: family },
      // The date of the export would change the bytes.
      info: { title, subject: alt, creationDate: new Date(0) },
    })
    .getBuffer();
}
