import { readdirSync } from 'node:fs';
import path from 'node:path';
import { suggestName } from '../../base/schema/closest-name.ts';
import { getAt, isJsonList, type Json, type JsonObject, type JsonPath } from '../../base/schema/json.ts';
import type { Place } from '../../base/schema/problems.ts';
import { show } from '../../base/schema/schema-problems.ts';
import { type InputPath, type MatrixValue, runFactNames, type StageCommand, type Tool } from './plan.ts';
import { pickSettings } from './profile-settings.ts';
import { readResources } from './resources.ts';
import { checkOptionalInputs, type InstanceDraft, readInputs, readPath } from './stage-paths.ts';
import { type Combination, joinLines, type StageReader } from './stage-reader.ts';

export function readInstances(reader: StageReader): InstanceDraft[] {
  const axes = readAxes(reader);
  checkParams(reader);
  checkFacts(reader);
  checkOptionalInputs(reader);
  if (axes === undefined) return [];
  const seen = new Set<string>();
  const drafts: InstanceDraft[] = [];
  for (const combination of combineAxes(axes)) {
    const id = nameInstance(reader.name, combination);
    if (seen.has(id)) {
      reader.report(reader.at(['matrix'], 'key'), `the matrix contains "${id}" twice.`);
      continue;
    }
    seen.add(id);
    const draft = readInstance(reader, id, combination);
    if (draft !== undefined) drafts.push(draft);
  }
  return drafts;
}

/** The outputs a stage would have, without reporting problems: to explain what a profile leaves out. */
export function guessOutputs(reader: StageReader): string[] {
  return reader.entry.outputs.flatMap((text) => {
    const expanded = reader.expandQuietly(text, new Map());
    const checked = 'value' in expanded ? reader.context.paths.check(String(expanded.value)) : null;
    return checked !== null && 'path' in checked ? [checked.path] : [];
  });
}

function readInstance(reader: StageReader, id: string, combination: Combination): InstanceDraft | undefined {
  const { entry } = reader;
  const command = readCommand(reader, combination);
  const inputs = allOf(readInputs(reader, combination));
  const readPaths = (key: 'outputs' | 'resume', role: 'output' | 'resume path') =>
    allOf((entry[key] ?? []).map((text, index) => readPath(reader, role, text, [key, index], combination)));
  const outputs = readPaths('outputs', 'output');
  const resume = readPaths('resume', 'resume path');
  const resources = readResources(reader, combination);
  const params = readParams(reader, combination);
  if (command === undefined || resources === undefined || params === undefined) return undefined;
  if (inputs === undefined || outputs === undefined || resume === undefined) return undefined;

  const machineParams = (reader.context.pipeline.content.machine ?? [])
    .map((key) => key.split('.'))
    .filter((path) => getAt(params, path) !== undefined);
  return {
    inputs,
    outputs,
    resume,
    instance: {
      id,
      stage: reader.name,
      matrix: Object.fromEntries([...combination].map(([variable, { value }]) => [variable, value])),
      command,
      params,
      ...(machineParams.length === 0 ? {} : { machineParams }),
      inputs: inputs.map(
        (one): InputPath => ({
          path: one.path,
          external: one.external,
          ...(one.name === undefined ? {} : { name: one.name }),
          get at() {
            return one.at;
          },
        }),
      ),
      outputs: outputs.map((one) => one.path),
      resume: resume.map((one) => one.path),
      variables: entry.variables ?? [],
      facts: entry.facts ?? [],
      ...(entry.tools === undefined ? {} : { tools: readTools(reader, entry.tools) }),
      resources,
      ...(entry.executor === 'local' ? { staysLocal: true } : {}),
      ...(entry.resources?.memory === undefined ? {} : { hasOwnMemory: true }),
      hermetic: command.kind === 'module' && (entry.hermetic ?? true),
      // Looking up places for messages takes longer than the rest, and most are never shown.
      get at() {
        return reader.at([], 'key');
      },
      get commandAt() {
        return reader.at(command.kind === 'module' ? ['run'] : ['cmd', 0]);
      },
      get timeAt() {
        return reader.at(['resources', 'time']);
      },
    },
  };
}

/** A key that has `${model}` is checked as far as that, since a profile need not set it for every model. */
function checkParams(reader: StageReader): void {
  const { settings } = reader.context;
  for (const [index, key] of (reader.entry.params ?? []).entries()) {
    const path = key.replace(/\.\$.*/, '').split('.');
    if (settings.lookUp(path) !== undefined || settings.mayHave(path)) continue;
    const message = `params "${key}" is not set by profile "${settings.profile}".`;
    reader.report(reader.at(['params', index]), message, () => settings.suggest(key));
  }
}

function readParams(reader: StageReader, combination: Combination): JsonObject | undefined {
  const paths = (reader.entry.params ?? []).map((key, index) =>
    // Step by step: a value such as lambda-0.1 may contain a dot.
    allOf(key.split('.').map((step) => reader.expandToText(step, ['params', index], combination))),
  );
  const known = allOf(paths);
  return known && pickSettings(reader.context.settings, known);
}

function readTools(reader: StageReader, tools: NonNullable<StageReader['entry']['tools']>): Tool[] {
  return tools.map((entry, i) => ({ command: toToolCommand(entry), at: reader.at(['tools', i]) }));
}

/** The command of an entry of `tools:`: `python3` stands for `python3 --version`. */
export function toToolCommand(entry: string | readonly string[]): readonly string[] {
  const words = typeof entry === 'string' ? entry.trim().split(/\s+/) : entry;
  return words.length === 1 ? [...words, '--version'] : words;
}

function checkFacts(reader: StageReader): void {
  const { facts = [] } = reader.entry;
  if (reader.context.knownFacts === undefined) return;
  const knownFacts = [...reader.context.knownFacts, ...runFactNames];
  for (const [index, name] of facts.entries()) {
    if (knownFacts.includes(name)) continue;
    reader.report(reader.at(['facts', index]), `there is no fact "${name}" for this machine.`, () =>
      suggestName(name, knownFacts),
    );
  }
}

function readCommand(reader: StageReader, combination: Combination): StageCommand | undefined {
  const { run, cmd } = reader.entry;
  if (run === undefined) {
    const argv = allOf(
      (cmd ?? []).map((word, index) => reader.expandToText(word, ['cmd', index], combination)),
    );
    return argv === undefined ? undefined : { kind: 'command', argv };
  }
  const placed = readPath(reader, 'module', run, ['run'], combination);
  if (placed === undefined) return undefined;
  const { paths } = reader.context;
  const kind = paths.kindOf(placed.path);
  if (kind === 'file') return { kind: 'module', path: placed.path };
  const what = kind === 'folder' ? 'is a folder' : 'does not exist';
  reader.report(placed.at, `module "${placed.path}" ${what}.`, () =>
    suggestFile(placed.path, paths.absolute(path.dirname(placed.path))),
  );
  return undefined;
}

/** `Closest: "stages/train.ts".`, among the files beside the path; if none is close, all of that kind if they are few. */
export function suggestFile(wanted: string, folder: string): string | undefined {
  const { dir, ext } = path.posix.parse(wanted);
  try {
    const names = readdirSync(folder).filter((name) => path.posix.extname(name) === ext);
    return suggestName(
      wanted,
      names.sort().map((name) => path.posix.join(dir, name)),
    );
  } catch {
    return undefined;
  }
}

function allOf<Value extends object | string>(
  values: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const present = values.filter((value) => value !== undefined);
  return present.length === values.length ? present : undefined;
}

/** One variable of a matrix and its values, each with the place where it is written. */
interface MatrixAxis {
  readonly variable: string;
  readonly values: readonly { readonly value: MatrixValue; readonly place: Place }[];
}

/**
 * A value becomes part of paths and of the instance's name, so it must be safe and unambiguous in both:
 * no `/`, `,`, `@`, `*`, space or control character.
 */
const valuePattern = /^[\p{L}\p{N}_+=~][\p{L}\p{N}_.+=~-]*$/u;

/** The last variable changes fastest. Without a matrix there is one empty combination. */
function combineAxes(axes: readonly MatrixAxis[]): Combination[] {
  let combinations: Combination[] = [new Map()];
  for (const { variable, values } of axes) {
    combinations = combinations.flatMap((one) => values.map((value) => new Map(one).set(variable, value)));
  }
  return combinations;
}

/** `train@baseline,2020`. */
function nameInstance(stage: string, combination: Combination): string {
  const values = [...combination.values()].map(({ value }) => String(value));
  return values.length === 0 ? stage : `${stage}@${values.join(',')}`;
}

/** The variables of a stage's matrix with their values; undefined if a problem was reported. */
function readAxes(reader: StageReader): MatrixAxis[] | undefined {
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
