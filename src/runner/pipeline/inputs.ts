import type { JsonPath } from '../../schema/json.ts';
import type { Combination } from './matrix.ts';
import type { InputEntry } from './pipeline-file.ts';
import { type PlacedPath, readPath } from './placed-path.ts';
import { parseTemplate, type Reference } from './references.ts';
import type { StageReader } from './stage-reader.ts';

/** The inputs of one instance, without those its profile leaves out; undefined stands for one that is wrong and was reported. */
export function readInputs(reader: StageReader, combination: Combination): (PlacedPath | undefined)[] {
  return (reader.entry.inputs ?? []).flatMap((input, index): (PlacedPath | undefined)[] => {
    const [text, at]: [string, JsonPath] =
      typeof input === 'string' ? [input, ['inputs', index]] : [input.path, ['inputs', index, 'path']];
    if (isOptional(input) && isLeftOut(reader, text)) return [];
    const external = typeof input === 'object' && input.external === true;
    return [readPath(reader, 'input', text, at, combination, { external })];
  });
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
