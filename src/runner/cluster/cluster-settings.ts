import { existsSync } from 'node:fs';
import path from 'node:path';
import { isJsonObject, type Json, type JsonObject, type JsonPath } from '../../schema/json.ts';
import { JsonSchema } from '../../schema/json-schema.ts';
import { ParsedDocuments } from '../../schema/parsed-documents.ts';
import { PassedChecks } from '../../schema/passed-checks.ts';
import { ConfigurationError, type Place, type Problem, throwProblems } from '../../schema/problems.ts';
import { checkSchema } from '../../schema/schema-problems.ts';
import { readYamlFile } from '../../schema/yaml-document.ts';
import { parseFlag, parseWord } from '../plan/cluster-reader.ts';
import { documentsFolder } from '../plan/load.ts';
import { type Parsed, parseDuration, parseMemory } from '../plan/resources.ts';

/** The file in which a project says how its stages are submitted; relative to the project. */
export const settingsFile = 'configs/executors/slurm.yaml';

/** Enough for a training of weeks in jobs of a day, and a limit for one that saves without progress. */
const continuationsByDefault = 20;

/** What a stage requests on this cluster; absent keys are decided elsewhere. */
export interface StageRequest {
  readonly executor?: 'local' | 'slurm';
  readonly cpu?: number;
  readonly memoryBytes?: number;
  readonly timeSeconds?: number;
  readonly gpu?: number;
  readonly gpuType?: string;
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly constraint?: string;
  readonly arrayLimit?: number;
  readonly flags?: readonly string[];
}

/** `configs/executors/slurm.yaml`. */
export interface ClusterSettings {
  readonly defaults: StageRequest;
  readonly stages: Readonly<Record<string, StageRequest>>;
  readonly prelude: readonly string[];
  readonly command: readonly string[];
  /** null: the Node.js that submits. */
  readonly node: string | null;
  readonly environment: readonly string[];
  readonly scratch: string | null;
  readonly copyInputs: boolean;
  readonly arraySize: number | null;
  readonly overheadSeconds: number;
  readonly warningSeconds: number;
  /** How often an instance with a resume folder may continue in another job when a job's time is over. */
  readonly continuations: number;
  readonly pollSeconds: number;
  readonly patienceSeconds: number;
  /** Where a value is written. */
  readonly placeOf: (at: JsonPath) => Place;
}

/**
 * Reads how the stages of a project are submitted; without the file, defaults.
 *
 * @throws {ConfigurationError} with the place of every problem
 */
export async function readClusterSettings(projectRoot: string): Promise<ClusterSettings> {
  const absolute = path.join(projectRoot, settingsFile);
  if (!existsSync(absolute)) return { ...toSettings({}, () => {}), placeOf: () => settingsFile };
  const [document, { default: definition }] = await Promise.all([
    readYamlFile(absolute, settingsFile, {
      expected: 'It says how stages are submitted: `defaults: { partition: … }`.',
      documents: new ParsedDocuments(path.join(projectRoot, documentsFolder)),
    }),
    import('../../../schemas/executor-slurm.schema.json', { with: { type: 'json' } }),
  ]);
  const value = document.value ?? {};
  if (!isJsonObject(value)) {
    throw new ConfigurationError([
      {
        at: document.positionOf([]),
        message: 'expected a mapping with keys such as "defaults" and "stages".',
      },
    ]);
  }
  const schema = new JsonSchema(definition, 'schemas/executor-slurm.schema.json');
  const place = (at: JsonPath, part?: 'key' | 'value') => document.positionOf(at, part);
  throwProblems(await checkSchema(schema, { value, place }, PassedChecks.none()));
  const problems: Problem[] = [];
  const settings = toSettings(value, (at, message, fix) =>
    problems.push({ at: document.positionOf(at), message, fix }),
  );
  throwProblems(problems);
  return { ...settings, placeOf: (at) => document.positionOf(at) };
}

/** Stages in the file that the pipeline does not have: a misspelt one would silently be submitted with the defaults. */
export function findUnknownStages(settings: ClusterSettings, known: Iterable<string>): string[] {
  const names = new Set(known);
  return Object.keys(settings.stages).filter((name) => !names.has(name));
}

type Report = (at: JsonPath, message: string, fix: string) => void;

/** @param value checked by the schema */
function toSettings(value: JsonObject, report: Report): Omit<ClusterSettings, 'placeOf'> {
  const duration = (key: string, byDefault: string, options = {}): number =>
    take(parseDuration(key, value[key] ?? byDefault, options), [key], report) ?? 0;
  const words = (key: string): string[] => (value[key] as string[] | undefined) ?? [];
  const stages = (value.stages ?? {}) as JsonObject;
  return {
    defaults: toRequest((value.defaults ?? {}) as JsonObject, ['defaults'], report),
    stages: Object.fromEntries(
      Object.entries(stages).map(([name, request]) => [
        name,
        toRequest(request as JsonObject, ['stages', name], report),
      ]),
    ),
    prelude: words('prelude'),
    command: words('command'),
    node: (value.node as string | undefined) ?? null,
    environment: words('environment'),
    scratch: (value.scratch as string | undefined) ?? null,
    copyInputs: value.copyInputs === true,
    arraySize: (value.arraySize as number | undefined) ?? null,
    overheadSeconds: duration('overhead', '10m', { mayBeNone: true }),
    warningSeconds: duration('warning', '2m'),
    continuations: (value.continuations as number | undefined) ?? continuationsByDefault,
    pollSeconds: duration('poll', '15s'),
    patienceSeconds: duration('patience', '90s'),
  };
}

function toRequest(
  { memory, time, partition, account, qos, constraint, flags, ...plain }: JsonObject,
  at: JsonPath,
  report: Report,
): StageRequest {
  const read = <Value>(key: string, value: Json | undefined, parse: (value: Json) => Parsed<Value>) =>
    value === undefined ? undefined : take(parse(value), [...at, key], report);
  const request = {
    memoryBytes: read('memory', memory, parseMemory),
    timeSeconds: read('time', time, (value) => parseDuration('time', value)),
    partition: read('partition', partition, (value) => parseWord('partition', value)),
    account: read('account', account, (value) => parseWord('account', value)),
    qos: read('qos', qos, (value) => parseWord('qos', value)),
    constraint: read('constraint', constraint, (value) => parseWord('constraint', value)),
    flags: (flags as string[] | undefined)?.map((flag, i) =>
      take(parseFlag(flag), [...at, 'flags', i], report),
    ),
  };
  const isGiven = ([, value]: [string, unknown]): boolean => value !== undefined;
  return { ...plain, ...Object.fromEntries(Object.entries(request).filter(isGiven)) };
}

function take<Value>(parsed: Parsed<Value>, at: JsonPath, report: Report): Value | undefined {
  if ('value' in parsed) return parsed.value;
  report(at, parsed.message, parsed.fix);
  return undefined;
}
