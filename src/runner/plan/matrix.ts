import { getAt, isJsonList, type Json, type JsonPath } from '../../schema/json.ts';
import type { Place } from '../../schema/problems.ts';
import { show } from '../../schema/schema-problems.ts';
import type { MatrixValue } from './plan.ts';
import { type Combination, joinLines, type StageReader } from './stage-reader.ts';

/** One variable of a matrix and its values, each with the place where it is written. */
export interface MatrixAxis {
  readonly variable: string;
  readonly values: readonly { readonly value: MatrixValue; readonly place: Place }[];
}

/**
 * A value becomes part of paths and of the instance's name, so it must be safe and unambiguous in both:
 * no `/`, `,`, `@`, `*`, space or control character.
 */
const valuePattern = /^[\p{L}\p{N}_+=~][\p{L}\p{N}_.+=~-]*$/u;

/** The last variable changes fastest. Without a matrix there is one empty combination. */
export function combineAxes(axes: readonly MatrixAxis[]): Combination[] {
  let combinations: Combination[] = [new Map()];
  for (const { variable, values } of axes) {
    combinations = combinations.flatMap((one) => values.map((value) => new Map(one).set(variable, value)));
  }
  return combinations;
}

/** `train@baseline,2020`. */
export function nameInstance(stage: string, combination: Combination): string {
  const values = [...combination.values()].map(({ value }) => String(value));
  return values.length === 0 ? stage : `${stage}@${values.join(',')}`;
}

/** The variables of a stage's matrix with their values; undefined if a problem was reported. */
export function readAxes(reader: StageReader): MatrixAxis[] | undefined {
  const written = Object.entries(reader.entry.matrix ?? {});
  const axes = written.flatMap(([variable, values]) => readAxis(reader, variable, values) ?? []);
  return axes.length < written.length ? undefined : axes;
}

function readAxis(
  reader: StageReader,
  variable: string,
  written: string | readonly Json[],
): MatrixAxis | undefined {
  const at = ['matrix', variable];
  const list = reader.expand(typeof written === 'string' ? written : [...written], at);
  if (list === undefined) return undefined;
  const origin = () => (typeof written === 'string' ? reader.describeOrigin(written, new Map()) : undefined);
  if (!isJsonList(list)) {
    reader.report(reader.at(at), `matrix variable "${variable}" must be a list, not ${show(list)}.`, origin);
    return undefined;
  }
  if (list.length === 0) {
    reader.report(reader.at(at), `matrix variable "${variable}" has no values, so nothing would run.`, () =>
      joinLines(origin(), 'To leave the stage out of a profile, use `when:`.'),
    );
    return undefined;
  }
  const values: { value: MatrixValue; place: Place }[] = [];
  for (const [index, item] of list.entries()) {
    const place = placeOfValue(reader, written, [...at, index], index);
    const value = typeof written === 'string' ? item : reader.expand(item, [...at, index]);
    if (value === undefined) continue;
    if (typeof value !== 'object' && valuePattern.test(String(value))) values.push({ value, place });
    else {
      const message = `stage "${reader.name}": matrix value ${show(value)} of "${variable}" cannot be part of a path.`;
      const fix = 'Use letters, digits and the characters _ . + = ~ -; it may not begin with "." or "-".';
      reader.context.problems.push({ at: place, message, fix });
    }
  }
  return values.length === list.length ? { variable, values } : undefined;
}

/** A value from `"${models}"` is reported where the profile lists it. */
function placeOfValue(
  reader: StageReader,
  written: string | readonly Json[],
  at: JsonPath,
  index: number,
): Place {
  if (typeof written !== 'string') return reader.at(at);
  const path = written.slice(2, -1).trim().split('.');
  const known = isJsonList(getAt(reader.context.settings.value, path));
  return known ? reader.context.settings.place([...path, index]) : reader.at(at.slice(0, -1));
}
