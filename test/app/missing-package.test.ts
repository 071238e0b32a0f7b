import { expect, it, vi } from 'vitest';
import { convertFigure } from '../../src/app/export/figures.ts';
import { makeFigure } from './made-up-figure.ts';

vi.mock('pdfmake', () => {
  throw new Error("Cannot find package 'pdfmake'");
});

it('without the optional package, PDF says how to install it; SVG needs none', async () => {
  await expect(convertFigure(makeFigure(), 'pdf')).rejects.toMatchObject({
    code: 'missing-package',
    message: expect.stringContaining('pdfmake'),
    fix: expect.stringContaining('npm ci --include=optional'),
  });
  expect(await convertFigure(makeFigure(), 'svg')).toContain('<svg ');
});
