import { wrapText } from '../../text.ts';
import { nameEpoch } from '../data/epochs.ts';
import { formatPoints, formatPointsRange, present } from '../data/format.ts';
import type { Question, QuestionArm } from '../data/question.ts';
import type { Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { colorVariable, modelColor } from '../drawing/palette.ts';
import { POINT_LABELS } from '../drawing/theme.ts';
import { drawDotPlot } from './dot-plot.ts';

/** Of a line of a model's title: it may take half of the width. */
const LABEL_LENGTH = 26;

/** How far each arm is from the baseline, with its interval, and the margin within which a difference does not matter. */
export function drawForest({ models, seeds }: Results, { baseline, margin, users, arms }: Question): Figure {
  const title = (arm: QuestionArm) => wrapText(arm.model.title, LABEL_LENGTH);
  const reach = Math.max(
    1.5 * margin,
    ...arms.flatMap((arm) => {
      const { low, high } = arm.certainty?.interval ?? { low: arm.difference, high: arm.difference };
      return [-low, high, ...arm.seeds.map(Math.abs)];
    }),
  );
  // Whole points, with room at the ends.
  const end = Math.min(1, Math.ceil(reach * 105) / 100);
  return {
    id: 'question',
    title: `Test accuracy of each arm, beside ${baseline.title}`,
    caption: present(
      `Difference in test accuracy from ${baseline.title} at the ${nameEpoch(models)}, in percentage points; bars show the 95 % interval.`,
      `Shaded: the margin of ${formatPoints(margin, false)}.`,
      seeds.length > 1 && 'Small ticks are the seeds.',
    ).join(' '),
    alt: arms
      .map(
        (arm) =>
          `${arm.model.title}: ${formatPoints(arm.difference)}${describeInterval(arm)}, ${arm.verdict}.`,
      )
      .join(' '),
    legend: [],
    columns: 1,
    panels: [
      drawDotPlot({
        rows: arms.map(title),
        series: [{ name: 'difference', look: { shape: 'circle', filled: true, size: 70 } }],
        dots: arms.map((arm) => {
          const { low, high } = arm.certainty?.interval ?? { low: arm.difference, high: arm.difference };
          return {
            ...{ row: title(arm), series: 'difference', value: arm.difference, low, high },
            color: colorVariable(modelColor(models.indexOf(arm.model))),
            seeds: arm.seeds.length > 1 ? arm.seeds : [],
          };
        }),
        rowHeight: Math.max(36, ...arms.map((arm) => title(arm).split('\n').length * 15 + 12)),
        domain: [-end, end],
        axis: { title: `points more accurate than ${baseline.title}`, labelExpr: POINT_LABELS },
        level: { value: 0, label: baseline.title },
        shade: [-margin, margin],
      }),
    ],
    data: [
      [
        ...['model', 'seeds', 'users', 'difference', 'standard_error', 'degrees_of_freedom'],
        ...['low_95', 'high_95', 'low_90', 'high_90', 'p', 'p_holm', 'margin', 'verdict'],
        ...['detectable_80', 'equivalence_chance'],
      ],
      ...arms.map(({ model, difference, verdict, certainty: found }) => [
        ...[model.id, seeds.length, users, difference, found?.error ?? null, found?.degrees ?? null],
        ...[found?.interval.low ?? null, found?.interval.high ?? null],
        ...[found?.narrow.low ?? null, found?.narrow.high ?? null],
        ...[found?.p ?? null, found?.adjusted ?? null, margin, verdict],
        ...[found?.detectable ?? null, found?.equivalenceChance ?? null],
      ]),
    ],
  };
}

function describeInterval({ certainty }: QuestionArm): string {
  if (certainty === null) return '';
  const { low, high } = certainty.interval;
  return ` (${formatPointsRange(low, high)})`;
}
