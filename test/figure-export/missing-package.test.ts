import { expect, it, vi } from 'vitest';
import { convertFigure } from '../../src/figure-export/formats.ts';
import { makeFigure } from './made-up-figure.ts';

vi.mock('@resvg/resvg-js', () => {
  throw new Error("Cannot find package '@resvg/resvg-js'");
});

it('without the optional package, PNG says how to install it; SVG needs none', async () => {
  const options = { title: false, dpi: 300, embedFonts: false, date: new Date(0) };
  await expect(convertFigure(makeFigure(), 'png', options)).rejects.toMatchObject({
    code: 'missing-package',
    message: expect.stringContaining('@resvg/resvg-js'),
    fix: expect.stringContaining('npm ci --include=optional'),
  });
  expect(await convertFigure(makeFigure(), 'svg', options)).toContain('<svg ');
});
