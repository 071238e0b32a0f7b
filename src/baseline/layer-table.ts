import { csvParse, type DSVRowArray } from 'd3-dsv';
import { isKept } from './baseline.ts';
import { type ReadText, refuse } from './result-text.ts';

/** A table of numbers with a row for each epoch or batch, counted from 0, and a column for each layer. */
export class LayerTable {
  readonly length: number;
  readonly #from: ReadText;
  readonly #rows: DSVRowArray<string>;
  /** Spiking layers. */
  readonly layers: number;

  /** @param counter the name of the column that counts the rows */
  constructor(from: ReadText, counter: string) {
    this.#from = from;
    this.#rows = csvParse(from.text);
    this.layers = this.#rows.columns.filter((column) => /^spike_rate\.\d+$/.test(column)).length;
    this.length = this.#rows.length;
    if (this.length === 0 || this.layers === 0) {
      refuse(from, `expected a row for each ${counter}, with a spike rate for each layer.`);
    }
    for (let row = 0; row < this.length; row++) {
      if (this.number(row, counter) !== row) refuse(from, `line ${row + 2}: expected ${counter} ${row}.`);
    }
  }

  number(row: number, column: string): number {
    const cell = this.#rows[row]?.[column];
    const value = cell === undefined || cell.trim() === '' ? Number.NaN : Number(cell);
    if (Number.isFinite(value)) return shorten(value);
    const found = JSON.stringify(cell ?? '');
    return refuse(this.#from, `line ${row + 2}, column "${column}": expected a number, found ${found}.`);
  }

  /** null if the cell is empty. */
  optional(row: number, column: string): number | null {
    return this.#rows[row]?.[column]?.trim() === '' ? null : this.number(row, column);
  }

  ofLayers(row: number, column: string): number[] {
    return Array.from({ length: this.layers }, (_, layer) => this.number(row, `${column}.${layer}`));
  }

  /** The rows whose details are kept. */
  get kept(): number[] {
    return Array.from({ length: this.length }, (_, row) => row).filter((row) => isKept(row + 1, this.length));
  }
}

/** Engines compute in single precision, which has seven digits; a baseline keeps no more. */
function shorten(value: number): number {
  return Number(value.toPrecision(7));
}
