import { FAMILY, findFonts, fontFaces, missingPackage } from './fonts.ts';
import { prepareSheet, type Sheet } from './sheet.ts';

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
  readonly widthMm?: number;
  /** PNG only. */
  readonly dpi: number;
  /** SVG only: PNG has no fonts, and PDF always embeds them. */
  readonly embedFonts: boolean;
  /** What a PDF says of when it was made: that of its data, so that the same figure gives the same bytes. */
  readonly date: Date;
}

/** How a figure measures on paper. */
export interface FigureSize {
  readonly widthMm: number;
  readonly heightMm: number;
  /** Height of the smallest text. */
  readonly labelPoints: number;
}

export interface ConvertedFigure {
  readonly content: string | Uint8Array;
  readonly size: FigureSize;
}

/** Families that are on most machines, for SVG without fonts of its own. */
const COMMON_FONTS = 'Arial, Helvetica, sans-serif';
const MM_PER_INCH = 25.4;
const POINTS_PER_INCH = 72;

/**
 * A figure in another format: on white, in the light colours. The same figure and options give the same bytes.
 *
 * @returns its bytes or text, and how it measures on paper
 * @throws {ReproError} `missing-package`, `figure-file`
 */
export async function convertFigure(
  figure: StoredFigure,
  format: Format,
  options: FormatOptions,
): Promise<ConvertedFigure> {
  const { title, widthMm } = options;
  const prepare = (fonts: string, head?: string) =>
    prepareSheet(figure.file, figure.svg, {
      title,
      fonts,
      ...(widthMm === undefined ? {} : { widthMm }),
      ...(head === undefined ? {} : { head }),
    });
  switch (format) {
    case 'svg': {
      const sheet = options.embedFonts
        ? prepare(FAMILY, await fontFaces(findFonts()))
        : prepare(COMMON_FONTS);
      return { content: sheet.svg, size: measure(sheet) };
    }
    case 'png': {
      const sheet = prepare(FAMILY);
      const content = await drawPng(sheet, Math.round((sheet.widthMm / MM_PER_INCH) * options.dpi));
      return { content, size: measure(sheet) };
    }
    case 'pdf': {
      const sheet = prepare(FAMILY);
      const widthPoints = (sheet.widthMm / MM_PER_INCH) * POINTS_PER_INCH;
      return { content: await writePdf(sheet, widthPoints, figure, options.date), size: measure(sheet) };
    }
  }
}

function measure({ width, height, widthMm, labelPoints }: Sheet): FigureSize {
  return { widthMm, heightMm: (widthMm * height) / width, labelPoints };
}

async function drawPng({ svg }: Sheet, widthPx: number): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js').catch((cause: unknown) => {
    throw missingPackage('@resvg/resvg-js', 'PNG', cause);
  });
  const { regular, bold } = findFonts();
  return new Resvg(withKnownSpaces(svg), {
    fitTo: { mode: 'width', value: widthPx },
    font: { loadSystemFonts: false, fontFiles: [regular, bold], defaultFontFamily: FAMILY },
  })
    .render()
    .asPng();
}

async function writePdf(
  { svg, width, height }: Sheet,
  widthPoints: number,
  { title, alt }: StoredFigure,
  creationDate: Date,
): Promise<Uint8Array> {
  const { regular, bold } = findFonts();
  const { default: pdfmake } = await import('pdfmake').catch((cause: unknown) => {
    throw missingPackage('pdfmake', 'PDF', cause);
  });
  pdfmake.addFonts({ [FAMILY]: { normal: regular, bold, italics: regular, bolditalics: bold } });
  pdfmake.setLocalAccessPolicy((path) => path === regular || path === bold);
  pdfmake.setUrlAccessPolicy(() => false);
  const size = { width: widthPoints, height: (widthPoints * height) / width };
  return pdfmake
    .createPdf({
      pageSize: size,
      pageMargins: 0,
      content: [{ svg: withKnownSpaces(svg), ...size }],
      defaultStyle: { font: FAMILY },
      info: { title, subject: alt, creationDate },
    })
    .getBuffer();
}

/** Roboto has no narrow no-break space, but a thin one, which is as wide; in a figure nothing breaks. */
function withKnownSpaces(svg: string): string {
  return svg.replaceAll('\u202f', '\u2009');
}
