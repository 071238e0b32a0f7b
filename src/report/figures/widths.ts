import { nameEpoch } from '../data/epochs.ts';
import { formatShare } from '../data/format.ts';
import type { Results } from '../data/results.ts';
import type { WidthResult, Widths } from '../data/widths.ts';
import type { Figure } from '../drawing/figure.ts';
import { colorVariable } from '../drawing/palette.ts';
import { linearAxis, PERCENT_LABELS } from '../drawing/theme.ts';

const SIZE = { width: 454, height: 260 };
const PADDING = { left: 70, right: 20, top: 12, bottom: 42 };

/** Accuracy against width: one line for networks with a τ per layer, one for those with a τ per neuron. */
export function drawWidths({ models }: Results, { layer, neuron, users }: Widths): Figure {
  const all = [...layer, ...neuron];
  const widths = [...new Set(all.map(({ width }) => width))].sort((a, b) => a - b);
  const lowest = Math.min(...all.map(({ interval }) => interval.low));
  const x = linearAxis('width', [0, widths.at(-1)! * 1.05], { title: 'channels', values: widths });
  const y = linearAxis('value', [Math.floor(lowest * 20) / 20, 1], {
    title: 'test accuracy',
    labelExpr: PERCENT_LABELS,
  });
  return {
    id: 'widths',
    title: 'Test accuracy against width, with a τ per layer and per neuron',
    caption: `Mean over seeds at the ${nameEpoch(models)}; bars show the 95 % bootstrap interval over seeds and ${users === null ? 'clips' : 'users'}.`,
    alt: [
      `τ per layer: ${layer.map(describePoint).join(', ')}.`,
      `τ per neuron: ${neuron.map(describePoint).join(', ')}.`,
    ].join(' '),
    legend: [
      { label: 'τ per layer', color: 'grey', mark: 'dashed' },
      { label: 'τ per neuron', color: 'ink', mark: 'line' },
    ],
    columns: 1,
    panels: [
      {
        title: '',
        spec: {
          width: SIZE.width - PADDING.left - PADDING.right,
          height: SIZE.height - PADDING.top - PADDING.bottom,
          padding: PADDING,
          autosize: 'none',
          layer: [...drawLine(layer, 'grey', [6, 3], -3), ...drawLine(neuron, 'ink', [1, 0], 3)],
          encoding: { x, y },
        },
        ...SIZE,
      },
    ],
    data: [
      [
        'model',
        'tau_per',
        'channels',
        'parameters',
        'accuracy',
        'low',
        'high',
        'equal_width',
        'equal_low',
        'equal_high',
      ],
      ...layer.map((one) => [...tabulate(one, 'layer'), null, null, null]),
      ...neuron.map((one) => [
        ...tabulate(one, 'neuron'),
        ...(one.equal === null
          ? [null, null, null]
          : [one.equal, one.equalInterval.low, one.equalInterval.high].map((value) =>
              Number.isFinite(value) ? value : value > 0 ? 'above' : 'below',
            )),
      ]),
    ],
  };
}

/** @param offset to the right, in px: the bars of both lines stand beside each other */
function drawLine(points: readonly WidthResult[], color: string, dash: readonly number[], offset: number) {
  const values = points.map(({ width, accuracy, interval: { low, high } }) => {
    return { width, value: accuracy, low, high };
  });
  const paint = colorVariable(color);
  const xOffset = { value: offset };
  return [
    {
      data: { values },
      encoding: { xOffset },
      mark: { type: 'line' as const, color: paint, strokeWidth: 1.8, strokeDash: [...dash] },
    },
    {
      data: { values },
      mark: { type: 'rule' as const, color: paint, strokeWidth: 1.5, opacity: 0.65 },
      encoding: { xOffset, y: { field: 'low', type: 'quantitative' as const }, y2: { field: 'high' } },
    },
    {
      data: { values },
      mark: { type: 'point' as const, color: paint, filled: true, size: 50, opacity: 1 },
      encoding: { xOffset },
    },
  ];
}

function tabulate({ model, width, accuracy, interval }: WidthResult, per: string) {
  return [model.id, per, width, model.runs[0]?.parameters ?? null, accuracy, interval.low, interval.high];
}

function describePoint({ width, accuracy }: WidthResult): string {
  return `${formatShare(accuracy)} with ${width} channels`;
}
