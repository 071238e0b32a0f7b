import { existsSync } from 'node:fs';
import path from 'node:path';
import { suggestName } from '../../base/schema/closest-name.ts';
import { getAt, type JsonObject, type JsonPath } from '../../base/schema/json.ts';
import { JsonSchema } from '../../base/schema/json-schema.ts';
import { type Problem, throwProblems } from '../../base/schema/problems.ts';
import { checkSchema } from '../../base/schema/schema-problems.ts';
import { readYamlFile } from '../../base/schema/yaml-document.ts';
import type { JobRequest } from '../executors/slurm/job-script.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { type Parsed, parseDuration, parseMemory } from '../plan/resources.ts';

/** The file in which a project says how its stages are submitted; relative to the project. */
export const settingsFile = 'configs/executors/slurm.yaml';

/** What a stage requests on this cluster; absent keys are decided elsewhere. */
type StageRequest = JobRequest & { readonly executor?: 'local' | 'slurm' };

export type ClusterSettings = ReturnType<typeof toSettings>;

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
  if (!existsSync(absolute)) return toSettings({}, () => {});
  const [document, { default: definition }] = await Promise.all([
    readYamlFile(absolute, settingsFile),
    import('../../../schemas/executor-slurm.schema.json', { with: { type: 'json' } }),
  ]);
  const value = document.value ?? {};
  const schema = new JsonSchema(definition, 'schemas/executor-slurm.schema.json');
  const place = (at: JsonPath, part?: 'key' | 'value') => document.positionOf(at, part);
  throwProblems(await checkSchema(schema, { value, place }));
  const problems: Problem[] = [];
  const settings = toSettings(value as JsonObject, (at, message, fix) =>
    problems.push({ at: place(at), message, fix }),
  );
  const stages = [...new Set([...instances.values()].map(({ stage }) => stage)), ...inactive];
  for (const name of Object.keys(settings.stages)) {
    if (stages.includes(name)) continue;
    const message = `the pipeline has no stage "${name}".`;
    problems.push({ at: place(['stages', name], 'key'), message, fix: suggestName(name, stages) });
  }
  throwProblems(problems);
  return settings;
}

type Report = (at: JsonPath, message: string, fix: string) => void;

/** @param value checked by the schema */
function toSettings(value: JsonObject, report: Report) {
  const take = (parsed: Parsed, at: JsonPath): number => {
    if ('value' in parsed) return parsed.value;
    report(at, parsed.message, parsed.fix);
    return 0;
  };
  const duration = (key: string, byDefault: string): number =>
    take(parseDuration(key, value[key] ?? byDefault), [key]);
  const words = (key: string): string[] => (value[key] as string[] | undefined) ?? [];
  const request = (...at: string[]): StageRequest => {
    const { memory, time, ...plain } = (getAt(value, at) ?? {}) as JsonObject;
    return {
      ...plain,
      ...(memory !== undefined && { memoryBytes: take(parseMemory(memory), [...at, 'memory']) }),
      ...(time !== undefined && { timeSeconds: take(parseDuration('time', time), [...at, 'time']) }),
    };
  };
  const names = Object.keys((value.stages ?? {}) as JsonObject);
  const stages: Readonly<Record<string, StageRequest>> = Object.fromEntries(
    names.map((name) => [name, request('stages', name)]),
  );
  return {
    stages,
    defaults: request('defaults'),
    /** What the job of `--detach` requests, in which the run itself is. */
    driver: request('driver'),
    prelude: words('prelude'),
    command: words('command'),
    /** null: the Node.js that submits. */
    node: (value.node as string | undefined) ?? null,
    environment: words('environment'),
    /**
     * How often an instance with a resume folder may continue in another job when a job's time is over. By default enough for a training of
     * weeks in jobs of a day, and a limit for one that saves without progress.
     */
    continuations: (value.continuations as number | undefined) ?? 20,
    pollSeconds: duration('poll', '15s'),
    patienceSeconds: duration('patience', '90s'),
  };
}

/** Memory of a job for the runner itself: it needs 150 MB, and more for the records of a large graph. */
const runnerMemoryBytes = 256 * 2 ** 20;

/** Of a job beyond `resources.time` of its stage: for hashing and storing what it made. */
const overheadSeconds = 600;

/** For the runner, and for hashing what stages have made. */
const driverMemoryBytes = 2 ** 30;

/** Whether an instance runs on the submitting machine. */
export function staysLocal(instance: StageInstance, { defaults, stages }: ClusterSettings): boolean {
  const asked = stages[instance.stage]?.executor ?? (instance.staysLocal === true ? 'local' : undefined);
  return (asked ?? defaults.executor ?? 'slurm') === 'local';
}

/** The site's entry for the stage takes precedence over the pipeline file, which takes precedence over the site's defaults. */
export function requestOf(instance: StageInstance, { defaults, stages }: ClusterSettings): JobRequest {
  const { cpu, gpu, memoryBytes, timeSeconds } = instance.resources;
  const site = stages[instance.stage] ?? {};
  const request = {
    ...defaults,
    ...(cpu !== 'share' && { cpu }),
    ...(gpu > 0 && { gpu }),
    ...(instance.hasOwnMemory === true && { memoryBytes: memoryBytes + runnerMemoryBytes }),
    ...(timeSeconds !== null && { timeSeconds: timeSeconds + overheadSeconds }),
    ...site,
    flags: [...(defaults.flags ?? []), ...(site.flags ?? [])],
  };
  // Only a stage that can continue later benefits from a warning.
  return instance.resume.length === 0 ? request : withWarning(request);
}

/** What the job of `--detach` requests. */
export function driverRequest({ driver, defaults }: ClusterSettings): JobRequest {
  const names = ['partition', 'account', 'qos', 'constraint'];
  const shared = Object.fromEntries(Object.entries(defaults).filter(([name]) => names.includes(name)));
  return withWarning({ ...shared, memoryBytes: driverMemoryBytes, ...driver });
}

/** Two minutes before its time is over; the partition may have a limit of its own. */
function withWarning(request: JobRequest): JobRequest {
  return { ...request, warnSeconds: Math.min(120, (request.timeSeconds ?? Number.POSITIVE_INFINITY) / 2) };
}
