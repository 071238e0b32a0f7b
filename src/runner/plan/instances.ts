import { readdirSync } from 'node:fs';
import path from 'node:path';
import { suggestName } from '../../schema/closest-name.ts';
import { getAt, type JsonObject } from '../../schema/json.ts';
import { combineAxes, nameInstance, readAxes } from './matrix.ts';
import { type InputPath, runFactNames, type StageCommand, type StageInstance, type Tool } from './plan.ts';
import { pickSettings } from './profile-settings.ts';
import { readResources } from './resources.ts';
import { checkOptionalInputs, type PlacedPath, readInputs, readPath } from './stage-paths.ts';
import type { Combination, StageReader } from './stage-reader.ts';

/** An instance with the places of its paths, for checks across all of them. */
export interface InstanceDraft {
  readonly instance: StageInstance;
  readonly inputs: readonly PlacedPath[];
  readonly outputs: readonly PlacedPath[];
  readonly resume: readonly PlacedPath[];
}

export function readInstances(reader: StageReader): InstanceDraft[] {
  const axes = readAxes(reader);
  const params = readParams(reader);
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
    const draft = readInstance(reader, id, combination, params);
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

function readInstance(
  reader: StageReader,
  id: string,
  combination: Combination,
  params: JsonObject,
): InstanceDraft | undefined {
  const { entry } = reader;
  const command = readCommand(reader, combination);
  const inputs = allOf(readInputs(reader, combination));
  const readPaths = (key: 'outputs' | 'resume', role: 'output' | 'resume path') =>
    allOf((entry[key] ?? []).map((text, index) => readPath(reader, role, text, [key, index], combination)));
  const outputs = readPaths('outputs', 'output');
  const resume = readPaths('resume', 'resume path');
  const resources = readResources(reader, combination);
  if (command === undefined || resources === undefined) return undefined;
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

function readParams(reader: StageReader): JsonObject {
  const keys = reader.entry.params ?? [];
  const { settings } = reader.context;
  const { picked, unknown } = pickSettings(settings, keys);
  for (const key of unknown) {
    const message = `params "${key}" is not set by profile "${settings.profile}".`;
    reader.report(reader.at(['params', keys.indexOf(key)]), message, () => settings.suggest(key));
  }
  return picked;
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
