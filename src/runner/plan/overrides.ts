import { ReproError } from '../../errors.ts';
import { getOwn, isJsonList, isJsonObject, type Json, type JsonObject, setAt } from '../../schema/json.ts';
import { ConfigurationError, type Problem } from '../../schema/problems.ts';
import { show } from '../../schema/schema-messages.ts';
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
    if (!keyPattern.test(key) || key.split('.').includes('__proto__')) {
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
      const message = problem?.message ?? cause.message;
      const quoted = `--set '${key}="…"'`;
      const [, bracket] = /^not YAML: the closing ([\]}])/.exec(message) ?? [];
      if (bracket === undefined) throw refuse(message, `Quote the value for YAML: ${quoted}.`);
      const closed = `--set '${key}=${bracket === ']' ? '[…]' : '{…}'}'`;
      const fix = `Add it, within quotes if there are spaces: ${closed}. For a text, quote the value for YAML: ${quoted}.`;
      throw refuse(message, fix);
    }
  }
  return overrides;
}

/** The profile's value with every override applied; for each key the last one wins. */
export function applyOverrides(
  profile: JsonObject,
  overrides: readonly Override[],
): { readonly value: JsonObject; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  let value = profile;
  for (const override of overrides) {
    const blocked = findBlocked(value, override.path);
    if (blocked === undefined) {
      value = setAt(value, override.path, override.value);
      continue;
    }
    problems.push({
      at: override.place,
      message: `"${blocked.key}" is ${show(blocked.value)}, which has no keys.`,
      fix: isJsonList(blocked.value) ? `Set the whole list: --set '${blocked.key}=[…]'.` : undefined,
    });
  }
  return { value, problems };
}

/** The first value on the way that exists and is not a mapping. */
function findBlocked(value: JsonObject, path: readonly string[]): { key: string; value: Json } | undefined {
  let current: JsonObject = value;
  for (const [index, step] of path.slice(0, -1).entries()) {
    const next = getOwn(current, step);
    if (next === undefined || next === null) return undefined;
    if (!isJsonObject(next)) return { key: path.slice(0, index + 1).join('.'), value: next };
    current = next;
  }
  return undefined;
}
