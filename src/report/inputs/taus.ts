import { csvParse } from 'd3-dsv';
import { ReproError } from '../../errors.ts';
import { formatQuantity } from '../data/format.ts';
import type { TauDistribution, TauState } from '../data/results.ts';

/** The columns of tau.csv. */
const COLUMNS = ['state', 'layer', 'count', 'quantile', 'tau'] as const;

/**
 * Parses tau.csv (`state,layer,count,quantile,tau`): the distribution of τ for each spiking layer, in the state of the chosen epoch and
 * after the last one. Layers count from 0. Each has the quantiles 0, 0.01, …, 1, or a single row if it has a single τ.
 *
 * @param file name for error messages
 * @throws {ReproError} `report-input` if a column is missing, a cell is no number, or a layer does not have just these quantiles
 */
export function readTaus(
  file: string,
  text: string,
  fix: string,
): Readonly<Record<TauState, readonly TauDistribution[]>> {
  const fail = (problem: string): never => {
    throw new ReproError('report-input', problem, { where: file, fix });
  };
  const rows = csvParse(text);
  for (const column of COLUMNS) if (!rows.columns.includes(column)) fail(`column "${column}" is missing`);
  const states = { chosen: new Layers(), last: new Layers() };
  for (const [index, row] of rows.entries()) {
    const number = (column: string): number => {
      const cell = row[column] ?? '';
      const value = cell === '' ? Number.NaN : Number(cell);
      return Number.isFinite(value)
        ? value
        : fail(`line ${index + 2}, column "${column}": expected a number, found "${cell}"`);
    };
    const { state } = row;
    if (state !== 'chosen' && state !== 'last') {
      return fail(`line ${index + 2}, column "state": expected "chosen" or "last", found "${state ?? ''}"`);
    }
    const problem = states[state].add(number('layer'), number('count'), {
      quantile: number('quantile'),
      tau: number('tau'),
    });
    if (problem !== null) fail(`line ${index + 2}, ${problem}`);
  }
  for (const [state, layers] of Object.entries(states)) {
    const problem = layers.findGap();
    if (problem !== null) fail(`state "${state}", ${problem}`);
  }
  const [chosen, last] = [states.chosen.distributions.length, states.last.distributions.length];
  if (chosen !== last)
    fail(
      `state "chosen" has ${formatQuantity(chosen, 'layer')}, state "last" ${last}, but both are of one network`,
    );
  return { chosen: states.chosen.distributions, last: states.last.distributions };
}

/** The quantiles of a layer with several τ: 0, 0.01, …, 1. */
const QUANTILES = 101;

/** The rows of one state, which come layer by layer in ascending quantiles. */
class Layers {
  readonly #layers: { count: number; quantile: number; taus: number[] }[] = [];

  get distributions(): TauDistribution[] {
    return this.#layers.map(({ count, taus }) => ({ count, taus }));
  }

  /** @returns what the last layer lacks, or null */
  findGap(): string | null {
    const last = this.#layers.at(-1);
    if (last === undefined) return null;
    const expected = last.count === 1 ? 1 : QUANTILES;
    if (last.taus.length === expected && (expected === 1 || last.quantile === 1)) return null;
    const end = expected === 1 ? '' : `, the last ${last.quantile}: the file is cut off, or rows are missing`;
    return `layer ${this.#layers.length - 1}: expected ${formatQuantity(expected, 'row')} for ${formatQuantity(last.count, 'neuron')}, found ${last.taus.length}${end}`;
  }

  /** @returns what is wrong with the row, or null */
  add(layer: number, count: number, { quantile, tau }: { quantile: number; tau: number }): string | null {
    if (!Number.isInteger(count) || count < 1)
      return `column "count": expected a number from 1, found ${count}`;
    if (layer === this.#layers.length) {
      const gap = this.findGap();
      if (gap !== null) return gap;
      if (count > 1 && quantile !== 0)
        return `column "quantile": the first of layer ${layer} is ${quantile}, not 0`;
      this.#layers.push({ count, quantile, taus: [tau] });
      return null;
    }
    const current = this.#layers.at(-1);
    if (current === undefined || layer !== this.#layers.length - 1) {
      return `column "layer": ${layer} follows ${this.#layers.length - 1}, but layers must be ascending`;
    }
    if (quantile <= current.quantile) {
      return `column "quantile": ${quantile} follows ${current.quantile}, but quantiles must be ascending`;
    }
    if (count !== current.count) {
      return `column "count": ${count} follows ${current.count} in layer ${layer}, which has one number of neurons`;
    }
    current.quantile = quantile;
    current.taus.push(tau);
    return null;
  }
}
