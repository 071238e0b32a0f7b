import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { convertFigure, type Format, type FormatOptions } from '../../src/figure-export/formats.ts';
import { makeFigure, NOTICE } from './made-up-figure.ts';

const OPTIONS: FormatOptions = {
  title: false,
  dpi: 300,
  embedFonts: false,
  date: new Date('2026-11-20T10:00:00Z'),
};

const convert = async (format: Format, options: Partial<FormatOptions> = {}, notice: string | null = null) =>
  Buffer.from(await convertFigure(makeFigure(notice), format, { ...OPTIONS, ...options }));

describe('an exported SVG', () => {
  it('is as large as it is drawn, without the title and most of its margin', async () => {
    // 440 x 296 px with margins of 20, of which 4 are left; the title takes 30.
    expect((await convert('svg')).toString()).toMatch(
      /^<svg [^>]*width="408" height="234" viewBox="16 46 408 234"/,
    );
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
    const png = PNG.sync.read(await convert('png', { dpi: 72 }));
    expect([png.width, png.height]).toEqual([306, Math.round((306 * 234) / 408)]);
    expect([...png.data.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
    // The middle of the square.
    const middle = 4 * (Math.floor(png.height * 0.6) * png.width + 153);
    expect([...png.data.subarray(middle, middle + 4)]).toEqual([0, 0x72, 0xb2, 255]);
  });

  it('has texts, whatever fonts the machine has', async () => {
    const { data, width } = PNG.sync.read(await convert('png'));
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
  it('is one page as large as the figure, with its fonts', async () => {
    const pdf = (await convert('pdf')).toString('latin1');
    expect(pdf.startsWith('%PDF-')).toBe(true);
    expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(1);
    const [, width, height] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf) ?? [];
    // 408 x 234 px at 96 an inch, in points.
    expect([Number(width), Number(height)]).toEqual([306, 175.5]);
    expect(pdf).toMatch(/\/BaseFont \/[A-Z]{6}\+Roboto-Regular/);
    expect(pdf).toContain('(D:20261120100000Z)');
  });

  it('has the same bytes each time', async () => {
    expect((await convert('pdf')).equals(await convert('pdf'))).toBe(true);
  });

  it('has a sign that its font has in the place of an arrow', async () => {
    const { svg, ...rest } = makeFigure();
    const [arrow, known] = await Promise.all(
      ['→', '›'].map((sign) => convertFigure({ ...rest, svg: svg.replace('τ', sign) }, 'pdf', OPTIONS)),
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
  await expect(convertFigure({ ...makeFigure(), svg }, 'svg', OPTIONS)).rejects.toMatchObject({
    code: 'figure-file',
    where: 'figures/accuracy.svg',
  });
});
