import { ReproError } from '../../errors.ts';
import { type Json, type JsonObject, setAt } from '../../schema/json.ts';
import { ConfigurationError } from '../../schema/problems.ts';
import { parseYaml } from '../../schema/yaml-document.ts';

/** One `--set train.epochs=3`. */
export interface Override {
  readonly path: readonly string[];
  readonly value: Json;
  readonly place: string;
}

const nullPattern = /^(?:~|null|Null|NULL)$/;

const keyPattern = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/;

/** Reads `--set` arguments; each value is YAML, so `3` is a number and `[1, 2]` a list. */
export async function parseOverrides(assignments: readonly string[]): Promise<Override[]> {
  const overrides: Override[] = [];
  for (const assignment of assignments) {
    const place = `--set ${assignment}`;
    const refuse = (message: string, fix?: string) => new ConfigurationError([{ at: place, message, fix }]);
    const equals = assignment.indexOf('=');
    if (equals === -1) throw refuse('has no value.', `Write --set ${assignment}=VALUE.`);
    const key = assignment.slice(0, equals).trim();
    const text = assignment.slice(equals + 1);
    if (!keyPattern.test(key)) {
      throw refuse(`"${key}" is not a profile key.`, 'A key is a dotted name such as train.epochs.');
    }
    if (text.trim() === '') throw refuse('has no value.', `For an empty string write --set '${key}=""'.`);
    try {
      // As a whole document, YAML's null is an empty document.
      const value = nullPattern.test(text.trim()) ? null : (await parseYaml(text, place)).value;
      overrides.push({ path: key.split('.'), value, place });
    } catch (cause) {
      if (!(cause instanceof ReproError)) throw cause;
      const problem = cause instanceof ConfigurationError ? cause.problems[0] : cause;
      const opened = /^\s*([[{])/.exec(text)?.[1];
      const list =
        opened === undefined
          ? ''
          : `Close it with ${opened === '[' ? ']' : '}'}. A text that begins so is quoted for YAML: `;
      const fix = `${list || 'Quote the value for YAML: '}--set '${key}="…"'.`;
      throw refuse(problem?.message ?? cause.message, fix);
    }
  }
  return overrides;
}

/** The profile's value with every override applied; for each key the last one wins. */
export function applyOverrides(profile: JsonObject, overrides: readonly Override[]): JsonObject {
  return overrides.reduce((value, override) => setAt(value, override.path, override.value), profile);
}
