import { formatPercentRange, formatShare, groupDigits, joinWords, present } from '../data/format.ts';
import type { Results } from '../data/results.ts';
import { compareWidths, type EqualWidth, type Widths } from '../data/widths.ts';
import { drawWidths } from '../figures/widths.ts';
import { makeTable, numberColumn, type Section, type Table } from '../page/document.ts';
import { stateDesign } from './question.ts';

/** How wide a network with one τ per layer has to be to equal one with a τ per neuron; nothing unless the run has both at several widths. */
export function describeWidths(results: Results): Section[] {
  const widths = compareWidths(results);
  if (widths === null) return [];
  return [
    {
      id: 'widths',
      title: 'Width against τ',
      blocks: [
        { kind: 'paragraph', text: [{ strong: stateWidths(results, widths) }], lead: true },
        { kind: 'figure', figure: drawWidths(results, widths) },
        { kind: 'table', table: tabulateWidths(widths) },
      ],
    },
  ];
}

function stateWidths(results: Results, { layer, neuron, users }: Widths): string {
  const told = neuron.filter(({ equal }) => equal !== null);
  const parts = told.map((one, index) => {
    const [at, range] = [nameWidth(one.equal!, layer), nameRange(one, layer)];
    const interval = at === range ? '' : ` (${index === 0 ? '95\u00a0% interval ' : ''}${range})`;
    return `of ${one.width} at ${at}${interval}`;
  });
  const untold = neuron.filter(({ equal }) => equal === null).map(({ width }) => String(width));
  const found = present(
    parts.length > 0 &&
      `a network with one τ per layer equals one with a τ per neuron ${joinWords(parts).replace(' at', ' channels at')}`,
    untold.length > 0 &&
      `this run cannot tell which width with one τ per layer equals ${joinWords(untold)} channels with a τ per neuron: they are not clearly better than guessing, or every width is as accurate`,
  );
  return `${stateDesign(results, users)}, ${found.join('; ')}.`;
}

function tabulateWidths({ layer, neuron, users }: Widths): Table {
  return makeTable<EqualWidth>(
    {
      id: 'table-widths',
      caption: 'Width of the network with one τ per layer that is as accurate as one with a τ per neuron',
      notes: [
        [
          `Between the trained widths, accuracy is interpolated on a straight line; where a wider network was less accurate, both count as equally accurate (isotonic regression). Intervals: 95\u00a0%, of 2,000 bootstrap samples of seeds and ${users === null ? 'clips; with so few seeds' : 'users; with so few of both'}, they are rough. `,
          { code: 'docs/claims.md' },
          ' explains them.',
        ],
      ],
    },
    neuron,
    [
      numberColumn('Channels, τ per neuron', ({ width }) => groupDigits(width)),
      numberColumn('Parameters', ({ model }) => groupDigits(model.runs[0]?.parameters ?? 0)),
      numberColumn('Test accuracy', ({ accuracy, interval: { low, high } }) => ({
        text: formatShare(accuracy),
        details: [formatPercentRange(low, high)],
      })),
      numberColumn('Same width, τ per layer', ({ width }) => {
        const same = layer.find((one) => one.width === width);
        if (same === undefined) return null;
        const { low, high } = same.interval;
        return { text: formatShare(same.accuracy), details: [formatPercentRange(low, high)] };
      }),
      numberColumn('Equal width, τ per layer', (one) =>
        one.equal === null ? null : { text: nameWidth(one.equal, layer), details: [nameRange(one, layer)] },
      ),
    ],
  );
}

/** `13.2`, or `more than 32` outside of the trained widths. */
function nameWidth(width: number, layer: Widths['layer']): string {
  if (width === Number.POSITIVE_INFINITY) return `more than ${layer.at(-1)?.width}`;
  return width === Number.NEGATIVE_INFINITY ? `less than ${layer[0]?.width}` : width.toFixed(1);
}

function nameRange({ equalInterval: { low, high } }: EqualWidth, layer: Widths['layer']): string {
  const [from, to] = [nameWidth(low, layer), nameWidth(high, layer)];
  return from === to ? from : `${from} to ${to}`;
}
