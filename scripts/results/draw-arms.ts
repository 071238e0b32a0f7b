// The figure of docs/results.md and the README: scripts/results.mjs compiles and runs it.
import { formatPoints } from '../../src/report/data/format.ts';
import type { Figure } from '../../src/report/drawing/figure.ts';
import { renderFigure } from '../../src/report/drawing/render.ts';
import { colorVariable, POINT_LABELS } from '../../src/report/drawing/theme.ts';
import { drawDotPlot } from '../../src/report/figures/dot-plot.ts';
import type { ArmVerdict } from '../../src/results/claims-file.ts';
import { type Endpoint, listEndpoints, readConfig, titleOf } from './questions.ts';

const COLORS: Readonly<Record<ArmVerdict, string>> = {
  different: 'vermilion',
  equivalent: 'blue',
  undecided: 'grey',
};

/** Differences in points on the axis, which is linear up to about two and logarithmic beyond. */
const TICKS = [-50, -20, -10, -5, -2, 0, 2, 5, 10, 20, 50];

export async function drawArms(root: string): Promise<string> {
  const rows = listEndpoints(root).map(({ profile, clips, ...endpoint }) => ({
    ...endpoint,
    title: clips === null ? readConfig(root, `profiles/${profile}`).report.title : `The same, on ${clips}`,
  }));
  const nameOf = ({ model, baseline }: Endpoint['arms'][number], usual: string) =>
    `${titleOf(root, model)}${baseline === usual ? '' : ` (beside ${titleOf(root, baseline)})`}`;
  const titles = rows.flatMap(({ arms }) => arms.map(({ model }) => titleOf(root, model)));
  const ends = rows.flatMap(({ arms }) => arms.flatMap(({ low, high }) => [low ?? 0, high ?? 0]));
  const reach = Math.max(...ends.map(Math.abs)) * 1.05;
  const figure: Figure = {
    id: 'arms',
    title: 'Accuracy with other kinds of τ, beside one learned τ per layer',
    caption: '',
    alt: rows
      .map(({ title, arms, baseline }) => {
        const said = arms.map(
          (arm) => `${nameOf(arm, baseline)} ${formatPoints(arm.difference)}, ${arm.verdict}`,
        );
        return `${title}: ${said.join(', ')}.`;
      })
      .join(' '),
    legend: Object.entries(COLORS).map(([label, color]) => ({ label, color, mark: 'dot' })),
    columns: 1,
    panels: rows.map(({ title, margin, arms, baseline: usual }) =>
      drawDotPlot({
        title,
        rows: arms.map((arm) => nameOf(arm, usual)),
        labelLength: Math.max(...titles.map(({ length }) => length)),
        series: [{ name: 'difference', look: { shape: 'circle', filled: true, size: 60 } }],
        dots: arms.map((arm) => {
          const { difference: value, low, high, verdict } = arm;
          return {
            ...{
              row: nameOf(arm, usual),
              series: 'difference',
              value,
              low: low ?? value,
              high: high ?? value,
            },
            color: colorVariable(COLORS[verdict]),
          };
        }),
        rowHeight: 22,
        domain: [-reach, reach],
        axis: {
          title: 'percentage points more accurate',
          labelExpr: POINT_LABELS,
          values: TICKS.map((points) => points / 100).filter((tick) => Math.abs(tick) <= reach),
          tickCount: TICKS.length,
        },
        linearTo: 0.02,
        level: { value: 0, label: '' },
        shade: [-margin, margin],
      }),
    ),
    data: [],
  };
  return (await renderFigure(figure, null)).sheet;
}
