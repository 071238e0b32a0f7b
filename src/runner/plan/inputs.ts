import { isJsonList, type JsonPath } from '../../schema/json.ts';
import type { Combination } from './matrix.ts';
import type { InputEntry } from './pipeline-file.ts';
import { type PlacedPath, readPath } from './placed-path.ts';
import { parseTemplate, type Reference } from './references.ts';
import type { StageReader } from './stage-reader.ts';

/**
 * The inputs of one instance, without those its profile leaves out; undefined stands for one that is wrong and was reported. A path with a
 * reference to a list stands for one path for each of its entries.
 */
export function readInputs(reader: StageReader, combination: Combination): (PlacedPath | undefined)[] {
  return (reader.entry.inputs ?? []).flatMap((input, index): (PlacedPath | undefined)[] => {
    const [text, at]: [string, JsonPath] =
      typeof input === 'string' ? [input, ['inputs', index]] : [input.path, ['inputs', index, 'path']];
    if (isOptional(input) && isLeftOut(reader, text)) return [];
    const external = typeof input === 'object' && input.external === true;
    return combineLists(reader, text, combination).map((one) =>
      readPath(reader, 'input', text, at, one, { external }),
    );
  });
}

/** The combination with one entry of each list that a path refers to, for all entries. */
function combineLists(reader: StageReader, text: string, combination: Combination): Combination[] {
  if (!text.includes('${')) return [combination];
  const { settings } = reader.surroundings;
  let combinations = [combination];
  for (const { path } of listReferences(text)) {
    const name = path.join('.');
    const list = combination.has(name) ? undefined : settings.lookUp(path);
    if (!isJsonList(list)) continue;
    const values = list.filter((value) => typeof value !== 'object');
    // A mapping is no part of a path: the list stays as it is, and is refused.
    if (values.length < list.length) continue;
    combinations = combinations.flatMap((one) =>
      values.map((value, index) =>
        new Map(one).set(name, { value, place: settings.place([...path, index]) }),
      ),
    );
  }
  return combinations;
}

/** Reports optional inputs whose absence would move others, or that could never be left out. */
export function checkOptionalInputs(reader: StageReader): void {
  const inputs = reader.entry.inputs ?? [];
  for (const [index, input] of inputs.entries()) {
    if (!isOptional(input)) continue;
    if (index < inputs.length - 1) {
      reader.report(
        reader.at(['inputs', index]),
        `inputs[${index}] is optional, so it must be the last one.`,
        'Stages identify inputs by position, so leaving one out must not move another.',
      );
    }
    if (listReferences(input.path).length === 0) {
      reader.report(
        reader.at(['inputs', index, 'path']),
        `inputs[${index}] is optional, and its path "${input.path}" has no reference that a profile could leave out.`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the pipeline's own syntax
        'Name a key of the profile, as in { path: "${reference.logs}", optional: true }.',
      );
    }
  }
}

function isOptional(input: InputEntry): input is Exclude<InputEntry, string> {
  return typeof input === 'object' && input.optional === true;
}

/** Whether the profile leaves out a key named by the path, or sets it to null. */
function isLeftOut(reader: StageReader, text: string): boolean {
  const { settings } = reader.surroundings;
  return listReferences(text).some(({ path }) => settings.isLeftOut(path) || settings.lookUp(path) === null);
}

function listReferences(text: string): Reference[] {
  const parsed = parseTemplate(text);
  return 'fault' in parsed ? [] : parsed.template.filter((part) => typeof part === 'object');
}
