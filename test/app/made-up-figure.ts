import type { convertFigure } from '../../src/app/export/figures.ts';
import { composeSheet } from '../../src/report/drawing/render.ts';

export const NOTICE = 'Simulated data: these results say nothing';

const PANEL =
  '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"><rect width="400" height="200" fill="#0072b2"/><text font-size="11px" y="9">a</text></svg>';

/** A sheet as the report writes it, 440 px wide, with one square as its only panel; with more, two of them side by side. */
export function makeSheet(notice: string | null = null, panels = 1): string {
  return composeSheet(
    {
      id: 'accuracy',
      title: 'Accuracy over epochs',
      caption: 'Share of clips.',
      alt: 'A square.',
      legend: [{ label: '1\u202f256 clips, τ ± σ', color: 'blue', mark: 'line' }],
      panels: Array(panels).fill({ title: '', spec: { layer: [] }, width: 400, height: 200 }),
      columns: 2,
      data: [['a']],
    },
    Array(panels).fill(PANEL),
    notice,
  );
}

export function makeFigure(notice: string | null = null, panels = 1): Parameters<typeof convertFigure>[0] {
  const svg = makeSheet(notice, panels);
  return { title: 'Accuracy over epochs', alt: 'A square.', file: 'figures/accuracy.svg', svg };
}
