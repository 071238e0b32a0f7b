import type { Json, JsonPath } from '../../schema/json.ts';
import type { Combination } from './matrix.ts';
import type { Resources, Retries } from './plan.ts';
import { parseTemplate } from './references.ts';
import {
  defaultResources,
  type Parsed,
  parseCount,
  parseCpus,
  parseDuration,
  parseMemory,
  parseMutex,
} from './resources.ts';
import type { StageReader } from './stage-reader.ts';

/** `retries: 3` waits this long before the first retry. */
const defaultBackoffSeconds = 1;

type Written = string | number | undefined;

/** What one instance uses; undefined if a problem was reported. */
export function readResources(reader: StageReader, combination: Combination): Resources | undefined {
  const { resources } = reader.entry;
  if (resources === undefined) return defaultResources;
  const values = new ScalarReader(reader, combination);
  const written = resources.mutex ?? [];
  const names = typeof written === 'object' ? written : [written];
  const isList = typeof written === 'object';
  const mutexes = names.map((name, index) =>
    values.read(name, ['resources', 'mutex', ...(isList ? [index] : [])], parseMutex, ''),
  );
  const result: Resources = {
    cpu: values.read(resources.cpu, ['resources', 'cpu'], parseCpus, defaultResources.cpu),
    memoryBytes: values.read(
      resources.memory,
      ['resources', 'memory'],
      parseMemory,
      defaultResources.memoryBytes,
    ),
    gpu: values.read(
      resources.gpu,
      ['resources', 'gpu'],
      (value) => parseCount('gpu', value, 0),
      defaultResources.gpu,
    ),
    mutexes: [...new Set(mutexes)],
    timeSeconds: values.read(
      resources.time,
      ['resources', 'time'],
      (value) => parseDuration('time', value),
      defaultResources.timeSeconds,
    ),
  };
  return values.isComplete ? result : undefined;
}

/** How often one instance is tried again; null for never, undefined if a problem was reported. */
export function readRetries(reader: StageReader, combination: Combination): Retries | null | undefined {
  const { retries } = reader.entry;
  if (retries === undefined) return null;
  const values = new ScalarReader(reader, combination);
  const entry = typeof retries === 'object' ? retries : { times: retries };
  const path: JsonPath = typeof retries === 'object' ? ['retries', 'times'] : ['retries'];
  const times = values.read(entry.times, path, (value) => parseCount('retries', value, 0), 0);
  const backoffSeconds = values.read(
    entry.backoff,
    ['retries', 'backoff'],
    (value) => parseDuration('backoff', value),
    defaultBackoffSeconds,
  );
  if (!values.isComplete) return undefined;
  return times === 0 ? null : { times, backoffSeconds, afterTimeout: entry.afterTimeout ?? false };
}

/** Reads single values with their references expanded, and reports those that are wrong. */
export class ScalarReader {
  readonly #reader: StageReader;
  readonly #combination: Combination;
  isComplete = true;

  constructor(reader: StageReader, combination: Combination) {
    this.#reader = reader;
    this.#combination = combination;
  }

  read<Value, Default>(
    written: Written,
    path: JsonPath,
    parse: (value: Json) => Parsed<Value>,
    fallback: Default,
  ): Value | Default {
    if (written === undefined) return fallback;
    const value = findDefault(this.#reader, written) ?? this.#reader.expand(written, path, this.#combination);
    const parsed = value === undefined ? undefined : parse(value);
    if (parsed !== undefined && 'value' in parsed) return parsed.value;
    this.isComplete = false;
    if (parsed !== undefined) this.#reader.report(this.#reader.at(path), parsed.message, parsed.fix);
    return fallback;
  }
}

/** The default of the key that `"${key}"` names, if the profile leaves it out. */
function findDefault(reader: StageReader, written: number | string): Json | undefined {
  const parsed = parseTemplate(String(written));
  if ('fault' in parsed || parsed.template.length !== 1) return undefined;
  const [reference] = parsed.template;
  return typeof reference === 'object' ? reader.surroundings.settings.defaultOf(reference.path) : undefined;
}
