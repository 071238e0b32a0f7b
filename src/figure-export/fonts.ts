import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ReproError } from '../errors.ts';

/** The family of all exported figures that have their fonts with them. */
export const FAMILY = 'Roboto';

export interface FontPaths {
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
export function findFonts(): FontPaths {
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
export async function fontFaces({ regular, bold }: FontPaths): Promise<string> {
  const face = async (file: string, weight: number): Promise<string> =>
    `@font-face{font-family:${FAMILY};font-weight:${weight};src:url(data:font/ttf;base64,${(await readFile(file)).toString('base64')})}`;
  return `<style>${await face(regular, 400)}${await face(bold, 600)}</style>`;
}

/** @param purpose what needs it, as the subject of a sentence */
export function missingPackage(name: string, purpose: string, cause: unknown): ReproError {
  return new ReproError(
    'missing-package',
    `${purpose} needs the optional package ${name}, which cannot be loaded`,
    {
      fix: 'Install all packages, with the optional ones: npm ci --include=optional. SVG without embedded fonts needs none.',
      cause,
    },
  );
}
