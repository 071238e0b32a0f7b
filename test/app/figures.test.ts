import { describe, expect, it } from 'vitest';
import { chooseFigures, convertFigure } from '../../src/app/export/figures.ts';
import type { figureFormats } from '../../src/app/project/option-choices.ts';
import { makeFigure, NOTICE } from './made-up-figure.ts';

const convert = async (format: (typeof figureFormats)[number], notice: string | null = null) =>
  Buffer.from(await convertFigure(makeFigure(notice), format));

it('figures are found with or without the mark of simulated data, in the order of the report', () => {
  const figures = ['simulated-a', 'simulated-b', 'simulated-c'].map((id) => ({ id, title: id, alt: '' }));
  const ids = (wanted: readonly string[]) => chooseFigures(figures, wanted).map(({ id }) => id);
  expect(ids([])).toEqual(['simulated-a', 'simulated-b', 'simulated-c']);
  expect(ids(['c', 'simulated-a'])).toEqual(['simulated-a', 'simulated-c']);
  expect(() => ids(['d'])).toThrow(/no figure "d"/);
});

describe('an exported SVG', () => {
  it('is as large as it is drawn, without the title and most of its margin, with common fonts', async () => {
    // 440 x 296 px with margins of 20, of which 4 are left; the title takes 30.
    const svg = (await convert('svg')).toString();
    expect(svg).toMatch(/^<svg [^>]*width="408" height="234" viewBox="16 46 408 234"/);
    expect(svg).toContain('font-family="Arial, Helvetica, sans-serif"');
  });

  it('leaves the title out, but never the warning', async () => {
    const svg = (await convert('svg', NOTICE)).toString();
    expect(svg).not.toMatch(/<text[^>]*>Accuracy over epochs/);
    expect(svg).toContain(`>${NOTICE}</text>`);
  });
});

describe('an exported PDF', () => {
  it('is one page as large as the figure, with its fonts', async () => {
    const pdf = (await convert('pdf')).toString('latin1');
    expect(pdf.startsWith('%PDF-')).toBe(true);
    expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(1);
    const [, width, height] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf) ?? [];
    // 408 x 234 px at 96 an inch, in points.
    expect([Number(width), Number(height)]).toEqual([306, 175.5]);
    expect(pdf).toMatch(/\/BaseFont \/[A-Z]{6}\+Roboto-Regular/);
  });

  it('has the same bytes each time', async () => {
    expect((await convert('pdf')).equals(await convert('pdf'))).toBe(true);
  });

  it('has a sign that its font has in the place of an arrow', async () => {
    const { svg, ...rest } = makeFigure();
    const [arrow, known] = await Promise.all(
      ['→', '›'].map((sign) => convertFigure({ ...rest, svg: svg.replace('τ', sign) }, 'pdf')),
    );
    expect(arrow).toEqual(known);
  });
});

const whole = makeFigure(null, 2).svg;

it.each([
  ['that the report did not write', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['that is cut off in the middle', whole.slice(0, 900)],
  ['that is cut off before its last line', whole.slice(0, -'</svg>\n'.length)],
])('a file %s is refused', async (_, svg) => {
  await expect(convertFigure({ ...makeFigure(), svg }, 'svg')).rejects.toMatchObject({
    code: 'figure-file',
    where: 'figures/accuracy.svg',
  });
});
