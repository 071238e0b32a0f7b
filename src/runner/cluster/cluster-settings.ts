import { existsSync } from 'node:fs';
import path from 'node:path';
import { suggestName } from '../../schema/closest-name.ts';
import { isJsonObject, type JsonObject, type JsonPath } from '../../schema/json.ts';
import { JsonSchema } from '../../schema/json-schema.ts';
import { ParsedDocuments } from '../../schema/parsed-documents.ts';
import { PassedChecks } from '../../schema/passed-checks.ts';
import { ConfigurationError, type Place, type Problem, throwProblems } from '../../schema/problems.ts';
import { checkSchema } from '../../schema/schema-problems.ts';
import { readYamlFile } from '../../schema/yaml-document.ts';
import { documentsFolder } from '../plan/load.ts';
import type { Plan } from '../plan/plan.ts';
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
  readonly partition?: string | number;
  readonly account?: string | number;
  readonly qos?: string | number;
  readonly constraint?: string | number;
  readonly arrayLimit?: number;
  readonly flags?: readonly string[];
}

/** `configs/executors/slurm.yaml`. */
export interface ClusterSettings {
  readonly defaults: StageRequest;
  readonly stages: Readonly<Record<string, StageRequest>>;
  /** What the job of `--detach` requests, in which the run itself goes on. */
  readonly driver: StageRequest;
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
export async function readClusterSettings({
  projectRoot,
  instances,
  inactive,
}: Pick<Plan, 'projectRoot' | 'instances' | 'inactive'>): Promise<ClusterSettings> {
  const absolute = path.join(projectRoot, settingsFile);
  if (!existsSync(absolute)) return { ...toSettings({}, () => {}), placeOf: () => settingsFile };
  const [document, { default: definition }] = await Promise.all([
    readYamlFile(absolute, settingsFile, {
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
  const stages = [...new Set([...instances.values()].map(({ stage }) => stage)), ...inactive];
  for (const name of Object.keys(settings.stages)) {
    if (stages.includes(name)) continue;
    const at = document.positionOf(['stages', name], 'key');
    problems.push({ at, message: `the pipeline has no stage "${name}".`, fix: suggestName(name, stages) });
  }
  throwProblems(problems);
  return { ...settings, placeOf: (at) => document.positionOf(at) };
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
    driver: toRequest((value.driver ?? {}) as JsonObject, ['driver'], report),
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

function toRequest({ memory, time, ...plain }: JsonObject, at: JsonPath, report: Report): StageRequest {
  const read = (key: string, parsed: Parsed<number> | undefined) => {
    const value = parsed === undefined ? undefined : take(parsed, [...at, key], report);
    return value === undefined ? {} : { [`${key}${key === 'memory' ? 'Bytes' : 'Seconds'}`]: value };
  };
  for (const [i, flag] of ((plain.flags ?? []) as string[]).entries()) {
    const problem = checkFlag(flag);
    if (problem !== null) report([...at, 'flags', i], ...problem);
  }
  return {
    ...plain,
    ...read('memory', memory === undefined ? undefined : parseMemory(memory)),
    ...read('time', time === undefined ? undefined : parseDuration('time', time)),
  };
}

function take<Value>(parsed: Parsed<Value>, at: JsonPath, report: Report): Value | undefined {
  if ('value' in parsed) return parsed.value;
  report(at, parsed.message, parsed.fix);
  return undefined;
}

/** Options of sbatch that the runner sets itself, and the key from which it does; null: there is none. */
const ownOptions: Readonly<Record<string, string | null>> = {
  account: 'account',
  array: null,
  chdir: null,
  cluster: null,
  clusters: null,
  comment: null,
  constraint: 'constraint',
  'cpus-per-task': 'cpu',
  dependency: null,
  error: null,
  export: null,
  'export-file': null,
  'job-name': null,
  mem: 'memory',
  'mem-per-cpu': 'memory',
  'mem-per-gpu': 'memory',
  'no-requeue': null,
  nodes: null,
  ntasks: null,
  'open-mode': null,
  output: null,
  parsable: null,
  partition: 'partition',
  qos: 'qos',
  requeue: null,
  signal: null,
  'test-only': null,
  time: 'time',
  wait: null,
  wrap: null,
};

/** What is wrong with a flag, and how to mend it; null if nothing is. */
function checkFlag(flag: string): readonly [message: string, fix: string] | null {
  const [name = ''] = flag.slice(2).split('=', 1);
  const names = Object.keys(ownOptions);
  // `sbatch` accepts any beginning of a name.
  const own = names.find((one) => one === name) ?? names.find((one) => one.startsWith(name));
  // Other resources than GPUs have no key.
  const key = /^--gres=gpu\b/.test(flag) ? 'gpu' : own && ownOptions[own];
  if (key === undefined) return null;
  const message = `flag --${name} is set by the runner itself${key === null ? '' : ', from a key'}.`;
  return [
    message,
    key === null ? 'Remove it: docs/cluster.md says what it is set to.' : `Write \`${key}:\` instead.`,
  ];
}
