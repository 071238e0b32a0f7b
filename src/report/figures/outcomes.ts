import { findPublished } from '../../results/thesis/published.ts';
import { wilsonInterval } from '../../verdicts/stats/proportions.ts';
import { formatPercentRange, formatShare, sentences } from '../../verdicts/words.ts';
import { explainTies, nameEpoch } from '../data/epochs.ts';
import type { Outcome } from '../data/outcome.ts';
import type { Figure, LegendEntry } from '../drawing/figure.ts';
import { colorVariable, modelColor } from '../drawing/theme.ts';
import { type Dot, drawDotPlot } from './dot-plot.ts';

/** What is drawn of each model, from top to bottom. */
const KINDS = [
  { name: 'chosen', mark: 'dot', look: { shape: 'circle', filled: true } },
  // Filled with the page's colour to hide the bar behind the ring.
  {
    name: 'maximum over epochs',
    mark: 'ring',
    look: { shape: 'circle', filled: false, fill: colorVariable('surface') },
  },
  { name: 'published', mark: 'diamond', look: { shape: 'diamond', filled: true } },
] as const;

/**
 * Test accuracy of every model with its interval, beside the published one if they are comparable: published values of other data would
 * seem comparable side by side.
 */
export function drawOutcomes(outcomes: readonly Outcome[], chance: number, comparable: boolean): Figure {
  const dots = outcomes.flatMap((outcome, index) => markOutcome(outcome, modelColor(index), comparable));
  const kinds = KINDS.filter(({ name }) => dots.some(({ series }) => series === name));
  const lowest = Math.min(...dots.map(({ low }) => low));
  const models = outcomes.map(({ model }) => model);
  return {
    id: 'outcomes',
    title: 'Test accuracy of each model',
    caption: sentences(
      `Bars show the 95 % interval (Wilson)${dots.some(({ seeds = [] }) => seeds.length > 0) ? ', small ticks the seeds' : ''}.`,
      explainTies(models),
    ),
    alt: outcomes.map((outcome) => describeOutcome(outcome, comparable)).join(' '),
    legend: kinds.map(({ name, mark }): LegendEntry => {
      const labels = { chosen: nameEpoch(models), published: 'published (maximum over epochs)' };
      return { label: name === 'maximum over epochs' ? name : labels[name], color: 'ink', mark };
    }),
    columns: 1,
    panels: [
      drawDotPlot({
        rows: outcomes.map(({ model }) => model.title),
        series: kinds.map(({ name, look }) => ({ name, look: { size: 70, strokeWidth: 1.8, ...look } })),
        dots,
        rowHeight: kinds.length * 14 + 16,
        // If all intervals are high, a scale from 0 would hide the differences.
        domain: [lowest > 0.8 ? Math.floor(lowest * 20) / 20 : 0, 1],
        level: { value: chance, label: 'chance' },
      }),
    ],
    data: tabulate(outcomes, comparable),
  };
}

function markOutcome({ model, chosen, maximum }: Outcome, color: string, comparable: boolean): Dot[] {
  const row = model.title;
  const measured = [chosen.test, maximum.test].map((accuracy, index): Dot => {
    const { mean: value, interval, count, values } = accuracy;
    const series = KINDS[index]!.name;
    return {
      ...{ row, series, value, low: interval.low, high: interval.high, color: colorVariable(color) },
      seeds: count > 1 ? values : [],
    };
  });
  const published = findPublished(model);
  if (!comparable || published === null) return measured;
  const value = published.test;
  return [...measured, { row, series: 'published', value, low: value, high: value, color: 'currentColor' }];
}

function describeOutcome({ model, chosen, maximum }: Outcome, comparable: boolean): string {
  const span = chosen.test.interval;
  const theirs = findPublished(model);
  const published = comparable && theirs !== null ? `, published ${formatShare(theirs.test)}` : '';
  return `${model.title}: ${formatShare(chosen.test.mean)} (${formatPercentRange(span.low, span.high)}), maximum ${formatShare(maximum.test.mean)}${published}.`;
}

function tabulate(outcomes: readonly Outcome[], comparable: boolean): Figure['data'] {
  const columns = ['split', 'epoch_choice', 'epoch', 'clips', 'accuracy', 'wilson_low', 'wilson_high'];
  const rows = outcomes.flatMap(({ model, chosen, maximum }) =>
    (['test', 'validation'] as const).flatMap((split) =>
      [chosen[split], maximum[split]].flatMap((accuracy, isMaximum) =>
        (accuracy?.values ?? []).map((value, index) => {
          const { clips, epochs } = accuracy!;
          const run = model.runs[index];
          const { low, high } = wilsonInterval(value * clips, clips);
          return [
            model.id,
            run?.seed ?? null,
            split,
            isMaximum === 1 ? 'maximum' : (run?.chosenOn ?? 'last'),
            ...[epochs[index] ?? null, clips, value, low, high],
            ...(comparable ? [findPublished(model)?.[split] ?? null] : []),
          ];
        }),
      ),
    ),
  );
  return [['model', 'seed', ...columns, ...(comparable ? ['published'] : [])], ...rows];
}
