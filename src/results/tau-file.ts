import { formatCsv } from '../formats/csv.ts';
import { parseTable, type ResultFile, refuse, toSevenDigits } from './result-file.ts';

/** Quantiles in hundredths, with both extremes: enough to draw a distribution of millions of neurons, and small to keep. */
export const QUANTILES = 100;

/** The distribution of a layer's time constants. */
export interface TauQuantiles {
  /** How many τ the layer has: one, or one per channel or neuron. */
  readonly count: number;
  /** τ in time steps at the quantiles 0, 0.01, …, 1; a single value if there is a single τ. */
  readonly taus: readonly number[];
}

/** In the state of the chosen epoch, and after the last one. */
const TAU_STATES = ['chosen', 'last'] as const;
type TauState = (typeof TAU_STATES)[number];

/** Spiking layers, from input to output. */
export type TausByState = Readonly<Record<TauState, readonly TauQuantiles[]>>;

const columns = ['state', 'layer', 'count', 'quantile', 'tau'];

/** The median of a single τ is that τ. */
const quantileOf = (count: number, index: number): number => (count === 1 ? 0.5 : index / QUANTILES);

/** tau.csv: `state,layer,count,quantile,tau`, for the states `chosen` and `last`; layers count from 0. */
export function formatTaus(states: TausByState): string {
  const lines = TAU_STATES.flatMap((state) =>
    states[state].flatMap(({ count, taus }, layer) =>
      taus.map((tau, i) => [state, layer, count, quantileOf(count, i), toSevenDigits(tau)]),
    ),
  );
  return formatCsv([columns, ...lines]);
}

/** @throws {ReproError} `results-invalid` naming the line and the column; also if a layer or a quantile is missing */
export function readTaus(from: ResultFile): TausByState {
  const states: Record<TauState, { count: number; taus: number[] }[]> = { chosen: [], last: [] };
  for (const row of parseTable(from, columns).rows) {
    const state = TAU_STATES.find((one) => one === row.text('state'));
    if (state === undefined)
      return row.refuse('state', `expected "chosen" or "last", found "${row.text('state')}"`);
    const layers = states[state];
    const [layer, count, quantile] = [row.count('layer'), row.count('count'), row.number('quantile')];
    if (layer === layers.length) layers.push({ count, taus: [] });
    const current = layers[layer];
    const expected = current && quantileOf(count, current.taus.length);
    if (quantile !== expected)
      return row.refuse('quantile', `expected ${expected ?? 'an earlier layer'}, found ${quantile}`);
    current?.taus.push(row.number('tau'));
  }
  for (const state of TAU_STATES) {
    for (const [layer, { count, taus }] of states[state].entries()) {
      const rows = count === 1 ? 1 : QUANTILES + 1;
      if (taus.length !== rows)
        refuse(from, `state "${state}", layer ${layer}: expected ${rows} rows, found ${taus.length}`);
    }
  }
  const [chosen, last] = [states.chosen.length, states.last.length];
  if (chosen !== last) refuse(from, `has ${chosen} layers in state "chosen", but ${last} in state "last"`);
  return states;
}
