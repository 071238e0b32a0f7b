import { getAt, isJsonList, type Json, type JsonPath } from '../../schema/json.ts';
import type { Place } from '../../schema/problems.ts';
import { show } from '../../schema/schema-messages.ts';
import { type MatrixAxis, mostInstances, refuseMatrixValue } from './matrix.ts';
import type { MatrixValue } from './plan.ts';
import { joinLines, type StageReader } from './stage-reader.ts';

/** The variables of a stage's matrix with their values; undefined if a problem was reported. */
export function readAxes(reader: StageReader): MatrixAxis[] | undefined {
  const axes: MatrixAxis[] = [];
  let instances = 1;
  for (const [variable, written] of Object.entries(reader.entry.matrix ?? {})) {
    const axis = readAxis(reader, variable, written);
    if (axis === undefined) continue;
    axes.push(axis);
    instances *= axis.values.length;
  }
  if (axes.length < Object.keys(reader.entry.matrix ?? {}).length) return undefined;
  if (instances <= mostInstances) return axes;
  reader.report(
    reader.at(['matrix'], 'key'),
    `the matrix has ${instances} combinations, but at most ${mostInstances} can be run.`,
  );
  return undefined;
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
    const refusal = refuseMatrixValue(value);
    if (refusal === undefined && typeof value !== 'object') {
      values.push({ value, place });
    } else {
      reader.surroundings.problems.push({
        at: place,
        message: `stage "${reader.name}": matrix value ${show(value)} of "${variable}" ${refusal}, but it becomes part of a path.`,
        fix: 'Use letters, digits and the characters _ . + = ~ -.',
      });
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
  const known = isJsonList(getAt(reader.surroundings.settings.value, path));
  return known ? reader.surroundings.settings.place([...path, index]) : reader.at(at.slice(0, -1));
}
