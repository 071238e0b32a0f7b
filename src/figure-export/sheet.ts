import { ReproError } from '../errors.ts';

/** A figure of the report, `figures/<id>.svg`, taken apart. */
export interface Sheet {
  readonly svg: string;
  /** Of the drawing, in its own px. */
  readonly width: number;
  readonly height: number;
}

export interface SheetOptions {
  /** With the title at the top, as in the report; papers have captions instead. */
  readonly title: boolean;
  /** Of the whole figure, in mm; its own width at 96 px an inch by default. */
  readonly widthMm?: number;
  /** A CSS list of families. */
  readonly fonts: string;
  /** An element to put into the file, such as a style sheet with fonts. */
  readonly head?: string;
}

const MM_PER_INCH = 25.4;
const PX_PER_INCH = 96;

const ROOT =
  /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="([\d.]+)" height="([\d.]+)" viewBox="0 0 \1 \2" role="img">/;
const TITLE = /<text data-part="title" data-height="(\d+)"[^>]*>[^<]*<\/text>\n?/;
const FONTS = /(<g )font-family="[^"]*"/;

/**
 * Prepares a figure's file for a paper: without its title, with a width in mm and its fonts named. A warning that the data are
 * simulated stays.
 *
 * @param file for errors
 * @throws {ReproError} `figure-file` if it is not a sheet that this version of the report writes
 */
export function prepareSheet(
  file: string,
  text: string,
  options: SheetOptions,
): Sheet & { readonly widthMm: number } {
  const root = ROOT.exec(text);
  const title = TITLE.exec(text);
  if (root === null || title === null || !FONTS.test(text)) {
    throw new ReproError('figure-file', 'this is not a figure as the report writes them', {
      where: file,
      fix: 'Make the report again with this version: npx repro run report --force',
    });
  }
  const width = Number(root[1]);
  const top = options.title ? 0 : Number(title[1]);
  const height = Number(root[2]) - top;
  const widthMm = options.widthMm ?? (width / PX_PER_INCH) * MM_PER_INCH;
  const mm = (px: number): string => `${Number(((px / width) * widthMm).toFixed(3))}mm`;
  const start = `<svg xmlns="http://www.w3.org/2000/svg" width="${mm(width)}" height="${mm(height)}" viewBox="0 ${top} ${width} ${height}" role="img">`;
  const svg = text
    .replace(ROOT, () => `${start}${options.head ?? ''}`)
    .replace(TITLE, (whole) => (options.title ? whole : ''))
    .replace(FONTS, (_, before: string) => `${before}font-family="${options.fonts}"`);
  return { svg, width, height, widthMm };
}
