import { existsSync } from 'node:fs';
import path from 'node:path';
import type { JobRequest } from '../../executors/slurm/job-script.ts';
import { suggestName } from '../../schema/closest-name.ts';
import { getAt, type JsonObject, type JsonPath } from '../../schema/json.ts';
import { JsonSchema } from '../../schema/json-schema.ts';
import { type Place, type Problem, throwProblems } from '../../schema/problems.ts';
import { checkSchema } from '../../schema/schema-problems.ts';
import { readYamlFile } from '../../schema/yaml-document.ts';
import type { Plan } from '../plan/plan.ts';
import { type Parsed, parseDuration, parseMemory } from '../plan/resources.ts';

/** The file in which a project says how its stages are submitted; relative to the project. */
export const settingsFile = 'configs/executors/slurm.yaml';

/** What a stage requests on this cluster; absent keys are decided elsewhere. */
type StageRequest = JobRequest & { readonly executor?: 'local' | 'slurm' };

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
    readYamlFile(absolute, settingsFile),
    import('../../../schemas/executor-slurm.schema.json', { with: { type: 'json' } }),
  ]);
  const value = document.value ?? {};
  const schema = new JsonSchema(definition, 'schemas/executor-slurm.schema.json');
  const place = (at: JsonPath, part?: 'key' | 'value') => document.positionOf(at, part);
  throwProblems(await checkSchema(schema, { value, place }));
  const problems: Problem[] = [];
  const settings = toSettings(value as JsonObject, (at, message, fix) =>
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
  const duration = (key: string, byDefault: string): number =>
    take(parseDuration(key, value[key] ?? byDefault), [key], report) ?? 0;
  const words = (key: string): string[] => (value[key] as string[] | undefined) ?? [];
  const request = (...at: string[]): StageRequest =>
    toRequest((getAt(value, at) ?? {}) as JsonObject, at, report);
  const stages = Object.keys((value.stages ?? {}) as JsonObject);
  return {
    defaults: request('defaults'),
    stages: Object.fromEntries(stages.map((name) => [name, request('stages', name)])),
    driver: request('driver'),
    prelude: words('prelude'),
    command: words('command'),
    node: (value.node as string | undefined) ?? null,
    environment: words('environment'),
    // Enough for a training of weeks in jobs of a day, and a limit for one that saves without progress.
    continuations: (value.continuations as number | undefined) ?? 20,
    pollSeconds: duration('poll', '15s'),
    patienceSeconds: duration('patience', '90s'),
  };
}

function toRequest({ memory, time, ...plain }: JsonObject, at: JsonPath, report: Report): StageRequest {
  for (const [i, flag] of ((plain.flags ?? []) as string[]).entries()) {
    if (!ownOptions.test(flag)) continue;
    const message = `flag ${flag.split('=', 1)[0]} is set by the runner itself.`;
    report([...at, 'flags', i], message, 'Remove it. For most there is a key: docs/cluster.md.');
  }
  const memoryBytes = memory === undefined ? null : take(parseMemory(memory), [...at, 'memory'], report);
  const timeSeconds = time === undefined ? null : take(parseDuration('time', time), [...at, 'time'], report);
  return {
    ...plain,
    ...(memoryBytes !== null && { memoryBytes }),
    ...(timeSeconds !== null && { timeSeconds }),
  };
}

function take(parsed: Parsed<number>, at: JsonPath, report: Report): number | null {
  if ('value' in parsed) return parsed.value;
  report(at, parsed.message, parsed.fix);
  return null;
}

/** Options of sbatch that the runner sets itself. */
const ownOptions =
  /^--(account|array|chdir|comment|constraint|cpus-per-task|error|export|job-name|nodes|no-requeue|ntasks|open-mode|output|parsable|partition|qos|requeue|signal|time|wait|wrap)(=|$)|^--(mem|gres=gpu)\b/;
