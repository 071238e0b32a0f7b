import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ReproError } from '../errors.ts';
import { mmPerInch, pointsPerInch, prepareSheet, type Sheet } from './sheet.ts';

export const FORMATS = ['svg', 'png', 'pdf'] as const;
export type Format = (typeof FORMATS)[number];

/** A figure as the report has it. */
export interface StoredFigure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly alt: string;
  /** For errors. */
  readonly file: string;
  readonly svg: string;
}

export interface FormatOptions {
  readonly title: boolean;
  readonly widthMm?: number | undefined;
  /** PNG only. */
  readonly dpi: number;
  /** SVG only: PNG has no fonts, and PDF always embeds them. */
  readonly embedFonts: boolean;
  /** The date stored in a PDF: the date of its data, so that the same figure gives the same bytes. */
  readonly date: Date;
}

/** How a figure measures on paper. */
export interface FigureSize {
  readonly widthMm: number;
  readonly heightMm: number;
  /** Height of the smallest text. */
  readonly labelPoints: number;
}

/** The family of all exported figures that have their fonts with them. */
const family = 'Roboto';

/** Families that are on most machines, for SVG without fonts of its own. */
const commonFonts = 'Arial, Helvetica, sans-serif';

/**
 * A figure in another format: on white, in the light colours. The same figure and options give the same bytes.
 *
 * @throws {ReproError} `missing-package`, `figure-file`
 */
export async function convertFigure(
  figure: StoredFigure,
  format: Format,
  options: FormatOptions,
): Promise<{ readonly content: string | Uint8Array; readonly size: FigureSize }> {
  const { title, widthMm } = options;
  const isBare = format === 'svg' && !options.embedFonts;
  const sheet = prepareSheet(figure.file, figure.svg, {
    title,
    widthMm,
    fonts: isBare ? commonFonts : family,
    ...(format === 'svg' && !isBare ? { head: await embedFonts() } : {}),
  });
  const content = {
    svg: async () => sheet.svg,
    png: () => drawPng(sheet, options.dpi),
    pdf: () => writePdf(sheet, figure, options.date),
  };
  const heightMm = (sheet.widthMm * sheet.height) / sheet.width;
  return {
    content: await content[format](),
    size: { widthMm: sheet.widthMm, heightMm, labelPoints: sheet.labelPoints },
  };
}

async function drawPng({ svg, widthMm }: Sheet, dpi: number): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js').catch((cause: unknown) => {
    throw missingPackage('@resvg/resvg-js', 'PNG', cause);
  });
  const { regular, bold } = findFonts();
  return new Resvg(withKnownSpaces(svg), {
    fitTo: { mode: 'width', value: Math.round((widthMm / mmPerInch) * dpi) },
    font: { loadSystemFonts: false, fontFiles: [regular, bold], defaultFontFamily: family },
  })
    .render()
    .asPng();
}

async function writePdf(
  { svg, width, height, widthMm }: Sheet,
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
  const widthPoints = (widthMm / mmPerInch) * pointsPerInch;
  const size = { width: widthPoints, height: (widthPoints * height) / width };
  return pdfmake
    .createPdf({
      pageSize: size,
      pageMargins: 0,
      content: [{ svg: withKnownSpaces(svg), ...size }],
      defaultStyle: { font: family },
      info: { title, subject: alt, creationDate },
    })
    .getBuffer();
}

/** Roboto has no narrow no-break space. A thin space is as wide, and lines in a figure do not break. */
function withKnownSpaces(svg: string): string {
  return svg.replaceAll('\u202f', '\u2009');
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
async function embedFonts(): Promise<string> {
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
