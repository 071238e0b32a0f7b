import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { warnOfSizes } from '../../src/apps/figures.ts';
import { convertFigure, type Format, type FormatOptions } from '../../src/figure-export/formats.ts';
import { makeFigure, NOTICE } from './made-up-figure.ts';

const OPTIONS: FormatOptions = {
  title: false,
  dpi: 300,
  embedFonts: false,
  date: new Date('2026-11-20T10:00:00Z'),
};

const convert = async (format: Format, options: Partial<FormatOptions> = {}, notice: string | null = null) =>
  Buffer.from((await convertFigure(makeFigure(notice), format, { ...OPTIONS, ...options })).content);

describe('an exported SVG', () => {
  it('has the width that was asked for, and the height that belongs to it', async () => {
    const svg = (await convert('svg', { widthMm: 88 })).toString();
    // 440 x 296 px with margins of 20, of which 4 are left; the title takes 30.
    expect(svg).toMatch(/^<svg [^>]*width="88mm" height="50.471mm" viewBox="16 46 408 234/);
  });

  it('is as large as drawn by default: 96 px an inch', async () => {
    expect((await convert('svg')).toString()).toContain('width="107.95mm"');
  });

  it('leaves the title out unless it is asked for, but never the warning', async () => {
    const without = (await convert('svg', {}, NOTICE)).toString();
    expect(without).not.toMatch(/<text[^>]*>Accuracy over epochs/);
    expect(without).toContain(`>${NOTICE}</text>`);
    const withTitle = (await convert('svg', { title: true }, NOTICE)).toString();
    expect(withTitle).toMatch(/<text[^>]*>Accuracy over epochs/);
    expect(withTitle).toContain('viewBox="16 16 408 ');
  });

  it('names common fonts, or has its own with it', async () => {
    expect((await convert('svg')).toString()).toContain('font-family="Arial, Helvetica, sans-serif"');
    const embedded = (await convert('svg', { embedFonts: true })).toString();
    expect(embedded).toContain('font-family="Roboto"');
    expect(embedded.match(/src:url\(data:font\/ttf;base64,/g)).toHaveLength(2);
  });
});

describe('an exported PNG', () => {
  it('has the resolution that was asked for, on white', async () => {
    const png = PNG.sync.read(await convert('png', { widthMm: 50.8, dpi: 150 }));
    expect([png.width, png.height]).toEqual([300, Math.round((300 * 234) / 408)]);
    expect([...png.data.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
    // The middle of the square.
    const middle = 4 * (Math.floor(png.height * 0.6) * png.width + 150);
    expect([...png.data.subarray(middle, middle + 4)]).toEqual([0, 0x72, 0xb2, 255]);
  });

  it('has texts, whatever fonts the machine has', async () => {
    const { data, width } = PNG.sync.read(await convert('png', { widthMm: 88, dpi: 300 }));
    // The legend's text is in the first 60 of 440 px, to the right of its key.
    const rows = Math.floor((60 / 440) * width);
    let dark = 0;
    for (let y = 0; y < rows; y++) {
      for (let x = Math.floor(width * 0.12); x < width / 2; x++) {
        if ((data[4 * (y * width + x)] ?? 255) < 100) dark += 1;
      }
    }
    expect(dark).toBeGreaterThan(300);
  });
});

describe('an exported PDF', () => {
  it('is one page of the size that was asked for, with its fonts', async () => {
    const pdf = (await convert('pdf', { widthMm: 88 })).toString('latin1');
    expect(pdf.startsWith('%PDF-')).toBe(true);
    expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(1);
    const [, width, height] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf) ?? [];
    expect(Number(width)).toBeCloseTo((88 / 25.4) * 72, 1);
    expect(Number(height)).toBeCloseTo((50.471 / 25.4) * 72, 1);
    expect(pdf).toMatch(/\/BaseFont \/[A-Z]{6}\+Roboto-Regular/);
    expect(pdf).toContain('(D:20261120100000Z)');
  });

  it('has the same bytes each time', async () => {
    expect((await convert('pdf')).equals(await convert('pdf'))).toBe(true);
  });
});

it('a file that the report did not write is refused', async () => {
  const figure = { ...makeFigure(), svg: '<svg xmlns="http://www.w3.org/2000/svg"/>' };
  await expect(convertFigure(figure, 'svg', OPTIONS)).rejects.toMatchObject({
    code: 'figure-file',
    where: 'figures/accuracy.svg',
  });
});

it.each([
  ['in the middle', 900],
  ['before its last line', -'</svg>\n'.length],
])('a file that is cut off %s is refused', async (_, end) => {
  const whole = makeFigure(null, 2);
  const figure = { ...whole, svg: whole.svg.slice(0, end) };
  await expect(convertFigure(figure, 'svg', OPTIONS)).rejects.toMatchObject({
    code: 'figure-file',
    where: 'figures/accuracy.svg',
  });
});

it('figures that cannot be read, or do not fit on a page, are named with what would help', () => {
  const sizes = new Map([
    ['fine', { widthMm: 88, heightMm: 60, labelPoints: 6.1 }],
    ['small', { widthMm: 50, heightMm: 60, labelPoints: 3.4 }],
    ['tall', { widthMm: 88, heightMm: 281.6, labelPoints: 8 }],
  ]);
  expect(warnOfSizes(sizes)).toEqual([
    // 50 mm · 6 / 3.4
    'warning: small: at 50 mm, its smallest text is 3.4 pt; from --width 89 on, it has 6 pt',
    'warning: tall: at 88 mm, it is 282 mm tall, more than a page; a larger --width may put more side by side',
  ]);
});
