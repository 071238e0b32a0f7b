import { ReproError } from '../../base/errors.ts';
import { quoteName } from '../../base/text.ts';
import { readNpyTable } from '../../formats/npy-table.ts';
import { eventsOfLists } from './event-lists.ts';
import type { Events, Sensor } from './events.ts';

/** What a file of events in NumPy's format does not say. */
export interface NpySettings {
  /** Of a plain array [N, 4]; fields have names of their own. */
  readonly columns?: readonly ColumnName[];
  /** Of the times; µs by default. */
  readonly timeUnit?: keyof typeof MICROSECONDS;
}

type ColumnName = keyof typeof NAMES;
type Columns = Readonly<Record<ColumnName, Float64Array>>;

/** What programs call them. */
const NAMES = {
  x: ['x'],
  y: ['y'],
  t: ['t', 'ts', 'time', 'timestamp'],
  p: ['p', 'pol', 'polarity'],
} as const;

const MICROSECONDS = { us: 1, ms: 1e3, s: 1e6 } as const;

const NAME_THEM = 'Name the columns in their order, as in `columns: [x, y, p, t]`, or save named fields.';

/**
 * Reads the events of a `.npy` or `.npz` that Python wrote: a structured array with the fields x, y, t and p, a plain array [N, 4],
 * or an .npz with one such array or with an array for each column. Polarities are 0 and 1, or -1 and 1.
 *
 * @param file name for messages
 * @returns the events in file order, times rounded to µs; and a sentence for each accepted irregularity
 * @throws {ReproError} `npy` for what is not such an array; `npy-columns` for columns that are missing, of unequal length or without
 *   names; `npy-event` for a pixel outside the sensor, another polarity, a time below 0, or one in µs that is not a whole number
 */
export function decodeNpyEvents(
  bytes: Uint8Array,
  file: string,
  { sensor, npy = {} }: { readonly sensor: Sensor; readonly npy?: NpySettings | undefined },
): { readonly events: Events; readonly warnings: readonly string[] } {
  const found = readColumns(bytes, file);
  const { columns, timeUnit = 'us' } = npy;
  const order = columns ?? ('t' in found ? [] : failColumns(file, 'its four columns have no names'));
  const { t, x, y, p } = nameColumns(found, order);
  const times = timeUnit === 'us' ? t : t.map((time) => Math.round(time * MICROSECONDS[timeUnit]));
  const off = p.includes(-1) ? -1 : 0;
  return eventsOfLists({ t: times, x, y, p, off }, file, sensor, (what) => {
    const fix =
      'Check the sensor, the order of `columns`, and `timeUnit` (us, ms or s). If times are below 0, subtract the first one.';
    throw new ReproError('npy-event', what, { where: file, fix });
  });
}

/**
 * Settings with which a file can be read, as far as its numbers tell. Times in ms cannot be told from µs.
 *
 * @throws {ReproError} `npy-columns` if more than one order of the columns is possible; as `decodeNpyEvents`
 */
export function guessNpySettings(bytes: Uint8Array, file: string): NpySettings {
  const found = readColumns(bytes, file);
  const columns = 't' in found ? undefined : guessOrder(found, file);
  const { t } = nameColumns(found, columns ?? []);
  return { ...(columns && { columns }), ...(t.every(Number.isInteger) ? {} : { timeUnit: 's' }) };
}

/** By name, or those of a plain array in the order of the file. */
function readColumns(bytes: Uint8Array, file: string): Columns | readonly Float64Array[] {
  const table = readNpyTable(bytes, file);
  if (table.length === 4 && table.every(({ name }) => name === ''))
    return table.map((column) => column.read());
  const read = (wanted: ColumnName): Float64Array => {
    const names: readonly string[] = NAMES[wanted];
    const column = table.find(({ name }) => names.includes(name));
    if (column !== undefined) return column.read();
    const there = table.map(({ name }) => (name === '' ? 'a list without a name' : quoteName(name)));
    return failColumns(file, `it has no ${names.join(', ')}, only ${there.join(', ')}`);
  };
  const columns = { x: read('x'), y: read('y'), t: read('t'), p: read('p') };
  const lengths = Object.values(columns).map(({ length }) => length);
  if (new Set(lengths).size === 1) return columns;
  return failColumns(
    file,
    `x, y, t and p have ${lengths.join(', ')} numbers: one of each belongs to an event`,
  );
}

function nameColumns(found: Columns | readonly Float64Array[], order: readonly ColumnName[]): Columns {
  if ('t' in found) return found;
  const column = (name: ColumnName): Float64Array => found[order.indexOf(name)]!;
  return { x: column('x'), y: column('y'), t: column('t'), p: column('p') };
}

/** Steps back in time that a list of times may have: cameras write few. */
const RARELY = 0.01;

function guessOrder(columns: readonly Float64Array[], file: string): ColumnName[] {
  const signs = columns.filter((values) =>
    [-1, 0].some((off) => values.every((value) => value === off || value === 1)),
  );
  // Of two, one that is always 0 is the y of a sensor of one row.
  const zeros = signs.filter((values) => values.every((value) => value === 0));
  const row = signs.length === 2 && zeros.length === 1 ? zeros[0] : undefined;
  const polarities = signs.filter((values) => values !== row);
  const ranges = columns
    .filter((values) => !signs.includes(values))
    .filter((values) => values.filter((value, i) => value < values[i - 1]!).length <= RARELY * values.length)
    .map((values) => ({ values, range: values.at(-1)! - values[0]! }))
    .sort((a, b) => b.range - a.range);
  const [times, next] = ranges;
  if (polarities.length !== 1 || times === undefined || times.range === next?.range) {
    return failColumns(file, 'its four columns have no names, and its numbers do not tell which is which');
  }
  const names: ColumnName[] = ['x', 'y'];
  return columns.map((values) =>
    values === times.values ? 't' : values === row ? 'y' : polarities.includes(values) ? 'p' : names.shift()!,
  );
}

function failColumns(file: string, what: string): never {
  throw new ReproError('npy-columns', `${what}.`, { where: file, fix: NAME_THEM });
}
