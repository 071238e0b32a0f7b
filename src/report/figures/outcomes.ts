import { wilsonInterval } from '../../stats/proportions.ts';
import { findPublished } from '../../thesis/published.ts';
import { nameEpoch } from '../data/epochs.ts';
import { formatPercent, formatPercentRange } from '../data/format.ts';
import type { Accuracy, Outcome } from '../data/outcome.ts';
import type { CsvValue, Figure, LegendEntry, PanelSpec } from '../drawing/figure.ts';
import { colorVariable, modelColor } from '../drawing/palette.ts';
import { PERCENT_LABELS } from '../drawing/theme.ts';
import { wrapText } from './wrap-text.ts';

const CHOSEN = 'chosen';
const MAXIMUM = 'maximum over epochs';
const PUBLISHED = 'published';
const PADDING = { right: 20, top: 12, bottom: 42 };
const WIDTH = 440;
/** Of a line of a model's title: it may take half of the width. */
const LABEL_LENGTH = 26;

const SHAPES: Readonly<Record<string, { shape: string; filled: boolean; fill?: string }>> = {
  [CHOSEN]: { shape: 'circle', filled: true },
  // Filled with the page's colour to hide the bar behind the ring.
  [MAXIMUM]: { shape: 'circle', filled: false, fill: colorVariable('surface') },
  [PUBLISHED]: { shape: 'diamond', filled: true },
};

interface Mark {
  readonly model: string;
  readonly kind: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly color: string;
  /** The value of each seed, if there are several. */
  readonly seeds: readonly number[];
  /** The values in words. */
  readonly tip: string;
}

/** Test accuracy of every model with its interval, beside the published one if they are comparable. */
export function drawOutcomes(
  outcomes: readonly Outcome[],
  chance: number,
  options: { readonly comparable: boolean },
): Figure {
  const marks = outcomes.flatMap((outcome, index) =>
    markOutcome(outcome, modelColor(index), options.comparable),
  );
  const kinds = [CHOSEN, MAXIMUM, PUBLISHED].filter((kind) => marks.some((mark) => mark.kind === kind));
  const several = (outcomes[0]?.chosen.test.count ?? 1) > 1;
  return {
    id: 'outcomes',
    title: 'Test accuracy of each model',
    caption: `Bars show the 95 % interval (Wilson)${several ? ', small ticks the seeds' : ''}. The thesis reports the maximum over epochs, which is chosen on the test clips themselves and therefore biased upwards.`,
    alt: outcomes.map((outcome) => describeOutcome(outcome, options.comparable)).join(' '),
    legend: kinds.map((kind) => legendOf(kind, nameEpoch(outcomes.map(({ model }) => model)))),
    columns: 1,
    panels: [
      {
        title: '',
        spec: drawSpec(outcomes, marks, kinds, chance),
        width: WIDTH,
        height: heightOf(outcomes, kinds),
      },
    ],
    data: outcomeTable(outcomes, options.comparable),
  };
}

function markOutcome({ model, chosen, maximum }: Outcome, color: string, comparable: boolean): Mark[] {
  const mark = (kind: string, accuracy: Accuracy): Mark => ({
    model: wrapText(model.title, LABEL_LENGTH),
    kind,
    value: accuracy.mean,
    low: accuracy.interval.low,
    high: accuracy.interval.high,
    seeds: accuracy.count > 1 ? accuracy.values : [],
    color: colorVariable(color),
    tip: `${model.title}, ${kind}\n${formatPercent(accuracy.mean)} (${formatPercentRange(accuracy.interval.low, accuracy.interval.high)})`,
  });
  const marks = [mark(CHOSEN, chosen.test), mark(MAXIMUM, maximum.test)];
  const published = findPublished(model);
  if (comparable && published !== null) {
    const value = published.test;
    marks.push({
      model: wrapText(model.title, LABEL_LENGTH),
      kind: PUBLISHED,
      value,
      low: value,
      high: value,
      seeds: [],
      color: 'currentColor',
      tip: `${model.title}, ${PUBLISHED}\n${formatPercent(value)}`,
    });
  }
  return marks;
}

function heightOf(outcomes: readonly Outcome[], kinds: readonly string[]): number {
  const lines = Math.max(
    ...outcomes.map(({ model }) => wrapText(model.title, LABEL_LENGTH).split('\n').length),
  );
  return PADDING.top + PADDING.bottom + outcomes.length * Math.max(kinds.length * 14 + 16, lines * 15 + 12);
}

function drawSpec(
  outcomes: readonly Outcome[],
  marks: readonly Mark[],
  kinds: readonly string[],
  chance: number,
): PanelSpec {
  const labels = outcomes.map(({ model }) => wrapText(model.title, LABEL_LENGTH));
  const longest = Math.max(...labels.flatMap((label) => label.split('\n').map((line) => line.length)));
  // About 7 px per character at 12 px, so that titles are not cut off.
  const left = 16 + 7 * longest;
  const lowest = Math.min(...marks.map(({ low }) => low));
  // If all intervals are high, a scale from 0 would hide the differences.
  const domain = [lowest > 0.8 ? Math.floor(lowest * 20) / 20 : 0, 1];
  const x = {
    field: 'value',
    type: 'quantitative' as const,
    scale: { domain, nice: false, zero: false },
    axis: { title: 'test accuracy', labelExpr: PERCENT_LABELS, tickCount: 6 },
  };
  const y = {
    field: 'model',
    type: 'nominal' as const,
    sort: null,
    scale: { domain: labels, paddingInner: 0.3, paddingOuter: 0.15 },
    axis: {
      title: null,
      grid: false,
      labelExpr: "split(datum.label, '\\n')",
      labelFontSize: 12,
      labelLimit: 0,
      labelOpacity: 1,
      minExtent: 0,
    },
  };
  const yOffset = { field: 'kind', type: 'nominal' as const, sort: null, scale: { domain: [...kinds] } };
  const color = { field: 'color', type: 'nominal' as const, scale: null };
  const values = [...marks];
  const chanceValues = { values: chance < (domain[0] ?? 0) ? [] : [{ value: chance, label: 'chance' }] };
  return {
    width: WIDTH - left - PADDING.right,
    height: heightOf(outcomes, kinds) - PADDING.top - PADDING.bottom,
    padding: { left, ...PADDING },
    autosize: 'none',
    layer: [
      {
        data: chanceValues,
        mark: { type: 'rule', color: 'currentColor', opacity: 0.6, strokeDash: [3, 3] },
        encoding: { x },
      },
      {
        data: chanceValues,
        mark: {
          type: 'text',
          color: 'currentColor',
          opacity: 0.8,
          align: 'left',
          baseline: 'top',
          dx: 4,
          fontSize: 11,
        },
        encoding: { x, y: { value: -8 }, text: { field: 'label', type: 'nominal' } },
      },
      {
        data: { values },
        mark: { type: 'rule', strokeWidth: 1.6, opacity: 0.75 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y, yOffset, color },
      },
      {
        data: {
          values: values.flatMap((mark) => mark.seeds.map((value) => ({ ...mark, value, seeds: [] }))),
        },
        mark: { type: 'tick', thickness: 1.2, size: 9, opacity: 0.9 },
        encoding: { x, y, yOffset, color },
      },
      ...kinds.map((kind) => ({
        data: { values: values.filter((mark) => mark.kind === kind) },
        mark: { type: 'point' as const, size: 70, strokeWidth: 1.8, opacity: 1, ...SHAPES[kind] },
        encoding: { x, y, yOffset, color, tooltip: { field: 'tip', type: 'nominal' as const } },
      })),
    ],
  };
}

function legendOf(kind: string, choice: string): LegendEntry {
  if (kind === PUBLISHED) return { label: 'published (maximum over epochs)', color: 'ink', mark: 'diamond' };
  return kind === CHOSEN
    ? { label: choice, color: 'ink', mark: 'dot' }
    : { label: MAXIMUM, color: 'ink', mark: 'ring' };
}

function describeOutcome({ model, chosen, maximum }: Outcome, comparable: boolean): string {
  const span = chosen.test.interval;
  const theirs = findPublished(model);
  const published = comparable && theirs !== null ? `, published ${formatPercent(theirs.test)}` : '';
  return `${model.title}: ${formatPercent(chosen.test.mean)} (${formatPercentRange(span.low, span.high)}), maximum ${formatPercent(maximum.test.mean)}${published}.`;
}

/** Published values of other data are left out: side by side, they would seem comparable. */
function outcomeTable(outcomes: readonly Outcome[], comparable: boolean): CsvValue[][] {
  const rows: CsvValue[][] = [
    [
      'model',
      'seed',
      'split',
      'epoch_choice',
      'epoch',
      'clips',
      'accuracy',
      'wilson_low',
      'wilson_high',
      ...(comparable ? ['published'] : []),
    ],
  ];
  for (const { model, chosen, maximum } of outcomes) {
    for (const split of ['test', 'validation'] as const) {
      for (const [choice, accuracy] of [
        [null, chosen[split]],
        ['maximum', maximum[split]],
      ] as const) {
        if (accuracy === null) continue;
        accuracy.values.forEach((value, index) => {
          const run = model.runs[index];
          const interval = wilsonInterval(value * accuracy.clips, accuracy.clips);
          rows.push([
            model.id,
            run?.seed ?? null,
            split,
            choice ?? run?.chosenOn ?? 'last',
            accuracy.epochs[index] ?? null,
            accuracy.clips,
            value,
            interval.low,
            interval.high,
            ...(comparable ? [findPublished(model)?.[split] ?? null] : []),
          ]);
        });
      }
    }
  }
  return rows;
}
