import { ReproError } from '../base/errors.ts';
import { quoteName } from '../base/text.ts';
import { readCsv } from '../formats/csv.ts';
import type { AnswerCells } from './contrasts.ts';

/** Results of trained models, of whatever kind: answers that are right or wrong, or scores. */
export interface AnswerTable {
  readonly isScore: boolean;
  /** Whether items belong to people, speakers or sites, whose answers are alike. */
  readonly hasGroups: boolean;
  /** Arms by name, in the order of the file: values by seed, and in each by item. */
  readonly arms: ReadonlyMap<string, ReadonlyMap<string, Items>>;
  /** The group of each item; the item itself if there are none. */
  readonly groups: ReadonlyMap<string, string>;
}

/** By item: 0 or 1, or a score. */
type Items = ReadonlyMap<string, number>;

const FIX =
  'docs/judge.md describes the table: columns arm, seed, item, correct or value, and optionally group.';

/**
 * Reads a table of results, a row for each answer: `arm,seed,item,correct`, or `value` instead of `correct`, and optionally `group`. Other
 * columns are ignored.
 *
 * @param file its name in messages
 * @throws {ReproError} `results-invalid` at `file:line:column`, saying what was expected
 */
export function readAnswers(text: string, file: string): AnswerTable {
  const refuse = (problem: string, { line, column } = { line: 1, column: 1 }, fix = FIX): never => {
    throw new ReproError('results-invalid', problem, { where: `${file}:${line}:${column}`, fix });
  };
  const { names: header, rows, placeOf } = readCsv(text, refuse);
  const place = new Map(header.map((name, index) => [name.trim().toLowerCase(), index]));
  for (const name of ['arm', 'seed', 'item']) {
    if (place.has(name)) continue;
    const found =
      header.length === 1 && /[;\t]/.test(header[0] ?? '') ? 'Separate columns by commas.' : undefined;
    refuse(`column "${name}" is missing; found ${quoteName(header.join(','))}.`, undefined, found);
  }
  const isScore = place.has('value');
  if (isScore === place.has('correct'))
    refuse(`expected one of the columns "correct" and "value", found ${isScore ? 'both' : 'neither'}.`);
  const column = isScore ? 'value' : 'correct';
  const hasGroups = place.has('group');
  const arms = new Map<string, Map<string, Map<string, number>>>();
  const groups = new Map<string, string>();
  for (const row of rows) {
    const refuseIn = (name: string, problem: string, fix?: string) =>
      refuse(problem, placeOf(row, place.get(name) ?? 0), fix);
    const cell = (name: string): string => {
      const value = row[place.get(name) ?? -1]?.trim() ?? '';
      return value === '' ? refuseIn(name, `column "${name}" is empty.`) : value;
    };
    const [arm, seed, item] = [cell('arm'), unifyNumber(cell('seed')), unifyNumber(cell('item'))];
    const value = readValue(cell(column), isScore);
    if (value === null) {
      const expected = isScore ? 'a number, at most 1e300' : '0 or 1';
      refuseIn(column, `column "${column}": expected ${expected}, found ${quoteName(cell(column))}.`);
    }
    const seeds = arms.get(arm) ?? new Map<string, Map<string, number>>();
    const items = seeds.get(seed) ?? new Map<string, number>();
    if (items.has(item))
      refuseIn(
        'item',
        `arm ${quoteName(arm)}, seed ${quoteName(seed)} has item ${quoteName(item)} twice.`,
        'An arm answers an item once with each seed: was it written twice, or numbered anew in each batch? (1, 01 and 1.0 are one.)',
      );
    arms.set(arm, seeds.set(seed, items.set(item, value ?? 0)));
    const group = hasGroups ? unifyNumber(cell('group')) : item;
    if ((groups.get(item) ?? group) !== group)
      refuseIn(
        'group',
        `item ${quoteName(item)} is of group ${quoteName(group)} here, and of ${quoteName(groups.get(item) ?? '')} above.`,
      );
    groups.set(item, group);
  }
  if (arms.size === 0) refuse('the table has no rows.');
  return { isScore, hasGroups, arms, groups };
}

/** In decimal notation. `Number` would also read `0x10`. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Programs write a whole number as `1`, `01` or `1.0`. Others stay as they are: `1.10` may be a section, and large ones are not exact. */
function unifyNumber(name: string): string {
  const value = Number(name);
  return Number.isSafeInteger(value) && NUMBER.test(name) ? String(value) : name;
}

/** Python writes answers as True and False. */
function readValue(text: string, isScore: boolean): number | null {
  const value = isScore
    ? Number(NUMBER.test(text) ? text : Number.NaN)
    : ({ 0: 0, 1: 1, false: 0, true: 1 }[text.toLowerCase()] ?? Number.NaN);
  // Differences and intervals of larger ones would be infinite.
  return Math.abs(value) <= 1e300 ? value : null;
}

/** The seeds that all arms have, in the order of the first, and how many others there are. */
export function shareSeeds(
  { arms }: AnswerTable,
  names: readonly string[],
): { seeds: string[]; others: number } {
  const each = names.map((name) => [...arms.get(name)!.keys()]);
  const all = [...new Set(each.flat())];
  const seeds = all.filter((seed) => each.every((list) => list.includes(seed)));
  return { seeds, others: all.length - seeds.length };
}

/** Arms are compared item by item: an item that only one of them answered with a seed, as a sentence; null if there is none. */
export function findUnpaired(
  table: AnswerTable,
  seeds: readonly string[],
  arms: readonly string[],
): string | null {
  const [first = '', ...others] = arms;
  const pairs = others.flatMap((other) => [[first, other] as const, [other, first] as const]);
  for (const seed of seeds)
    for (const [arm, than] of pairs) {
      const ours = itemsOf(table, arm, seed);
      for (const item of itemsOf(table, than, seed).keys())
        if (!ours.has(item))
          return `With seed ${quoteName(seed)}, ${quoteName(arm)} has no item ${quoteName(item)}, which ${quoteName(than)} has.`;
    }
  return null;
}

/** Of an arm that has this seed. */
function itemsOf({ arms }: AnswerTable, arm: string, seed: string): Items {
  return arms.get(arm)!.get(seed)!;
}

/** Below this, chance may decide. */
const FEW = 10;

/**
 * Seeds of an arm that are probably one training, written down several times: all, if they gave the same answers; else those that did, at least ten of
 * them right and ten wrong, if any two others differ on at least ten items. Equal values alone say nothing: they may all be right.
 */
export function findCopies(table: AnswerTable, seeds: readonly string[], arm: string): readonly string[] {
  const answers = seeds.map((seed) => itemsOf(table, arm, seed));
  // For each seed, the first one with its answers.
  const firsts = answers.map((own) => answers.find((other) => !areFar(own, other, 1))!);
  const trainings = [...new Set(firsts)];
  const least = trainings.length === 1 ? 1 : FEW;
  const isVaried = (one: Items) => {
    const sorted = [...one.values()].sort((a, b) => a - b);
    return sorted[least - 1]! < sorted.at(-least)!;
  };
  const copied = firsts.find((first, seed) => first !== answers[seed] && isVaried(first));
  const isFar = (one: Items, at: number) => trainings.slice(0, at).every((two) => areFar(one, two, FEW));
  return copied && trainings.every(isFar) ? seeds.filter((_, seed) => firsts[seed] === copied) : [];
}

/** Whether answers differ on at least so many items. */
function areFar(one: Items, other: Items, least: number): boolean {
  let count = Math.max(0, other.size - one.size);
  for (const [item, value] of one) {
    if (count >= least) return true;
    if (other.get(item) !== value) count += 1;
  }
  return count >= least;
}

/** The sums of an arm by seed and group, minus those of another one on the same items. @param seeds that both have */
export function sumCells(
  table: AnswerTable,
  seeds: readonly string[],
  arm: string,
  than?: string,
): AnswerCells {
  const arms = than === undefined ? [arm] : [arm, than];
  const items = new Set<string>();
  const places = new Map<string, number>();
  const right = arms.map(() => 0);
  let [largest, answered] = [0, 0];
  const rows = seeds.map((seed) => {
    const [ours, theirs] = arms.map((one) => itemsOf(table, one, seed));
    const cells = new Map<number, { sum: number; count: number }>();
    for (const [item, value] of ours!) {
      items.add(item);
      const group = table.groups.get(item)!;
      const place = places.get(group) ?? places.size;
      places.set(group, place);
      const { sum, count } = cells.get(place) ?? { sum: 0, count: 0 };
      const values = theirs === undefined ? [value] : [value, theirs.get(item)!];
      for (const [i, one] of values.entries()) {
        largest = Math.max(largest, Math.abs(one));
        right[i]! += one;
      }
      answered += 1;
      cells.set(place, { sum: sum + (value - (values[1] ?? 0)), count: count + 1 });
    }
    const found = [...cells.values()];
    return {
      at: [...cells.keys()],
      sums: found.map(({ sum }) => sum),
      counts: found.map(({ count }) => count),
    };
  });
  const shares = right.map((count) => count / answered);
  return {
    ...{ rows, groups: places.size, items: items.size },
    scale: 2 ** Math.floor(Math.log2(largest || 1)),
    rare: table.isScore ? null : shares.reduce((sum, share) => sum + Math.min(share, 1 - share), 0),
  };
}
