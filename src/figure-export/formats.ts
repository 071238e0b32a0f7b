import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ReproError } from '../errors.ts';
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

export interface ConvertedFigure {
  readonly content: string | Uint8Array;
  readonly size: FigureSize;
}

/** The family of all exported figures that have their fonts with them. */
const FAMILY = 'Roboto';

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

/** Roboto has no narrow no-break space. A thin space is as wide, and lines in a figure do not break. */
function withKnownSpaces(svg: string): string {
  return svg.replaceAll('\u202f', '\u2009');
}

interface FontPaths {
  /** Weight 400. */
  readonly regular: string;
  /** Of titles, weight 600 in the figures. */
  readonly bold: string;
}

/**
 * Roboto's files, which come with pdfmake.
 *
 * @throws {ReproError} `missing-package`
 */
function findFonts(): FontPaths {
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
async function fontFaces({ regular, bold }: FontPaths): Promise<string> {
  const face = async (file: string, weight: number): Promise<string> =>
    `@font-face{font-family:${FAMILY};font-weight:${weight};src:url(data:font/ttf;base64,${(await readFile(file)).toString('base64')})}`;
  return `<style>${await face(regular, 400)}${await face(bold, 600)}</style>`;
}

/** @param purpose what needs it, as the subject of a sentence */
function missingPackage(name: string, purpose: string, cause: unknown): ReproError {
  return new ReproError(
    'missing-package',
    `${purpose} needs the optional package ${name}, which cannot be loaded`,
    {
      fix: 'Install all packages, with the optional ones: npm ci --include=optional. SVG without embedded fonts needs none.',
      cause,
    },
  );
}
