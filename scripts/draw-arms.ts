// The figure of docs/results.md and the README: scripts/results.mjs compiles and runs it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { formatPoints } from '../src/report/data/format.ts';
import type { Figure } from '../src/report/drawing/figure.ts';
import { renderFigure } from '../src/report/drawing/render.ts';
import { colorVariable, POINT_LABELS } from '../src/report/drawing/theme.ts';
import { drawDotPlot } from '../src/report/figures/dot-plot.ts';
import type { ArmVerdict, QuestionEntry } from '../src/results/claims-file.ts';

const COLORS: Readonly<Record<ArmVerdict, string>> = {
  different: 'vermilion',
  equivalent: 'blue',
  undecided: 'grey',
};

/** Differences in points on the axis, which is linear up to about two and logarithmic beyond. */
const TICKS = [-50, -20, -10, -5, -2, 0, 2, 5, 10, 20, 50];

/** An endpoint of a profile's question. */
interface Row {
  readonly title: string;
  readonly margin: number;
  readonly arms: QuestionEntry['arms'];
}

/** Writes docs/images/arms.svg: all arms of all questions that were answered, on one axis. */
export async function main({ root }: { readonly root: string }): Promise<void> {
  writeFileSync(path.join(root, 'docs/images/arms.svg'), await drawArms(root));
}

export async function drawArms(root: string): Promise<string> {
  const read = (...names: readonly string[]) => readFileSync(path.join(root, ...names), 'utf8');
  const titleOf = (model: string): string => parse(read(`configs/models/${model}.yaml`)).title;
  const nameOf = ({ model, baseline }: Row['arms'][number]) =>
    `${titleOf(model)}${baseline === undefined ? '' : ` (beside ${titleOf(baseline)})`}`;
  const rows = readdirSync(path.join(root, 'results'))
    .sort()
    .flatMap((profile): Row[] => {
      // scripts/sweep.mjs draws its own.
      if (existsSync(path.join(root, 'results', profile, 'section.md'))) return [];
      const { question }: { question?: QuestionEntry } = JSON.parse(read('results', profile, 'claims.json'));
      if (question === undefined) return [];
      const title: string = parse(read(`configs/profiles/${profile}.yaml`)).report.title;
      const { second } = question;
      return [
        { ...question, title },
        ...(second ? [{ ...second, title: `The same, on ${second.text}` }] : []),
      ];
    });
  const titles = rows.flatMap(({ arms }) => arms.map(({ model }) => titleOf(model)));
  const ends = rows.flatMap(({ arms }) => arms.flatMap(({ low, high }) => [low ?? 0, high ?? 0]));
  const reach = Math.max(...ends.map(Math.abs)) * 1.05;
  const figure: Figure = {
    id: 'arms',
    title: 'Accuracy with other kinds of τ, beside one learned τ per layer',
    caption: '',
    alt: rows
      .map(({ title, arms }) => {
        const said = arms.map((arm) => `${nameOf(arm)} ${formatPoints(arm.difference)}, ${arm.verdict}`);
        return `${title}: ${said.join(', ')}.`;
      })
      .join(' '),
    legend: Object.entries(COLORS).map(([label, color]) => ({ label, color, mark: 'dot' })),
    columns: 1,
    panels: rows.map(({ title, margin, arms }) =>
      drawDotPlot({
        title,
        rows: arms.map(nameOf),
        labelLength: Math.max(...titles.map(({ length }) => length)),
        series: [{ name: 'difference', look: { shape: 'circle', filled: true, size: 60 } }],
        dots: arms.map((arm) => {
          const { difference: value, low, high, verdict } = arm;
          return {
            ...{ row: nameOf(arm), series: 'difference', value, low: low ?? value, high: high ?? value },
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
