import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ReproError } from '../errors.ts';

export const FORMATS = ['svg', 'png', 'pdf'] as const;
export type Format = (typeof FORMATS)[number];

/** A figure as the report has it. */
export interface StoredFigure {
  readonly title: string;
  readonly alt: string;
  /** For errors. */
  readonly file: string;
  readonly svg: string;
}

export interface FormatOptions {
  /** With the title at the top, as in the report; papers have captions instead. */
  readonly title: boolean;
  /** PNG only. */
  readonly dpi: number;
  /** SVG only: PNG has no fonts, and PDF always embeds them. */
  readonly embedFonts: boolean;
  /** The date stored in a PDF: the date of its data, so that the same figure gives the same bytes. */
  readonly date: Date;
}

/** The family of all exported figures that have their fonts with them. */
const family = 'Roboto';

/** Families that are on most machines, for SVG without fonts of its own. */
const commonFonts = 'Arial, Helvetica, sans-serif';

/**
 * A figure in another format: on white, in the light colours, as large as it is drawn. The same figure and options give the same bytes.
 *
 * @throws {ReproError} `missing-package`, `figure-file`
 */
export async function convertFigure(
  figure: StoredFigure,
  format: Format,
  { title, embedFonts, dpi, date }: FormatOptions,
): Promise<string | Uint8Array> {
  const isBare = format === 'svg' && !embedFonts;
  const style = format === 'svg' && embedFonts ? await makeStyle() : '';
  const sheet = prepareSheet(figure, { title, fonts: isBare ? commonFonts : family, style });
  switch (format) {
    case 'svg':
      return sheet.svg;
    case 'png':
      return drawPng(sheet, dpi);
    case 'pdf':
      return writePdf(sheet, figure, date);
  }
}

interface Sheet {
  readonly svg: string;
  /** px */
  readonly width: number;
  readonly height: number;
}

const pxPerInch = 96;
const pointsPerInch = 72;

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
function prepareSheet(
  { file, svg: text }: StoredFigure,
  options: { readonly title: boolean; readonly fonts: string; readonly style: string },
): Sheet {
  const fail = (problem: string): ReproError =>
    new ReproError('figure-file', problem, {
      where: file,
      fix: 'Make the report again with this version: ./repro run report --force',
    });
  const [root, title] = [patterns.root.exec(text), patterns.title.exec(text)];
  if (root === null || title === null || !patterns.fonts.test(text)) {
    throw fail('this is not a figure written by the report');
  }
  if (!patterns.end.test(text) || text.split('<svg ').length !== text.split('</svg>').length) {
    throw fail('this figure is incomplete: its file was cut off or altered');
  }
  const top = (options.title ? 0 : Number(title[1])) + cutMargin;
  const [width, height] = [Number(root[1]) - 2 * cutMargin, Number(root[2]) - top - cutMargin];
  const start = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${cutMargin} ${top} ${width} ${height}" role="img">`;
  const svg = text
    .replace(patterns.root, () => `${start}${options.style}`)
    .replace(patterns.title, (whole) => (options.title ? whole : ''))
    .replace(patterns.fonts, (_, before: string) => `${before}font-family="${options.fonts}"`);
  return { svg, width, height };
}

async function drawPng({ svg, width }: Sheet, dpi: number): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js').catch((cause: unknown) => {
    throw missingPackage('@resvg/resvg-js', 'PNG', cause);
  });
  const { regular, bold } = findFonts();
  return new Resvg(withKnownSigns(svg), {
    fitTo: { mode: 'width', value: Math.round((width / pxPerInch) * dpi) },
    font: { loadSystemFonts: false, fontFiles: [regular, bold], defaultFontFamily: family },
  })
    .render()
    .asPng();
}

async function writePdf(
  { svg, width, height }: Sheet,
  { title, alt }: StoredFigure,
  creationDate: Date,
): Promise<Uint8Array> {
  const { regular, bold } = findFonts();
  const { default: pdfmake } = await import('pdfmake').catch((cause: unknown) => {
    throw missingPackage('pdfmake', 'PDF', cause);
  });
  pdfmake.addFonts({ [family]: { normal: regular, bold, italics: regular, bolditalics: bold } });
  pdfmake.setLocalAccessPolicy((path) => path === regular || path === bold);
  pdfmake.setUrlAccessPolicy(() => false);
  const scale = pointsPerInch / pxPerInch;
  const size = { width: width * scale, height: height * scale };
  return pdfmake
    .createPdf({
      pageSize: size,
      pageMargins: 0,
      content: [{ svg: withKnownSigns(svg), ...size }],
      defaultStyle: { font: family },
      info: { title, subject: alt, creationDate },
    })
    .getBuffer();
}

/** Roboto has no arrow and no narrow no-break space. A thin space is as wide, and lines in a figure do not break. */
function withKnownSigns(svg: string): string {
  return svg.replaceAll('\u202f', '\u2009').replaceAll('→', '›');
}

/**
 * Roboto's files, which come with pdfmake: weight 400, and 500 for titles.
 *
 * @throws {ReproError} `missing-package`
 */
function findFonts(): { readonly regular: string; readonly bold: string } {
  const require = createRequire(import.meta.url);
  try {
    return {
      regular: require.resolve('pdfmake/fonts/Roboto/Roboto-Regular.ttf'),
      bold: require.resolve('pdfmake/fonts/Roboto/Roboto-Medium.ttf'),
    };
  } catch (cause) {
    throw missingPackage('pdfmake', 'embedding fonts', cause);
  }
}

/** A style sheet with both fonts in it, for a file that must look the same everywhere. */
async function makeStyle(): Promise<string> {
  const { regular, bold } = findFonts();
  const face = async (file: string, weight: number): Promise<string> =>
    `@font-face{font-family:${family};font-weight:${weight};src:url(data:font/ttf;base64,${(await readFile(file)).toString('base64')})}`;
  return `<style>${await face(regular, 400)}${await face(bold, 600)}</style>`;
}

/** @param purpose what needs it, as the subject of a sentence */
function missingPackage(name: string, purpose: string, cause: unknown): ReproError {
  const problem = `${purpose} needs the optional package ${name}, which cannot be loaded`;
  return new ReproError('missing-package', problem, {
    fix: 'Install all packages, with the optional ones: npm ci --include=optional. SVG without embedded fonts needs none.',
    cause,
  });
}
