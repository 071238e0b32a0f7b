import type { StoredFigure } from '../../src/figure-export/formats.ts';
import { composeSheet } from '../../src/report/figures/sheet.ts';

export const NOTICE = 'Simulated data: these results say nothing';

/** A sheet as the report writes it, 440 px wide, with one square as its only panel. */
export function makeSheet(notice: string | null = null): string {
  const panel =
    '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"><rect width="400" height="200" fill="#0072b2"/></svg>';
  return composeSheet(
    {
      id: 'accuracy',
      title: 'Accuracy over epochs',
      caption: 'Share of clips.',
      alt: 'A square.',
      legend: [{ label: '1\u202f256 clips, τ ± σ', color: 'blue', mark: 'line' }],
      panels: [{ title: '', spec: { layer: [] }, width: 400, height: 200 }],
      columns: 1,
      data: [['a']],
    },
    [panel],
    notice,
  );
}

export function makeFigure(notice: string | null = null): StoredFigure {
  return {
    id: 'accuracy',
    title: 'Accuracy over epochs',
    caption: 'Share of clips.',
    alt: 'A square.',
    file: 'figures/accuracy.svg',
    svg: makeSheet(notice),
  };
}
