import { realpathSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { FilePermissions, StageLaunch } from '../../executors/executor.ts';
import type { Tracer } from '../../executors/strace/strace.ts';
import { formatPlace } from '../../schema/problems.ts';
import type { StageTask } from '../../stage/protocol.ts';
import type { Declaration } from '../../stage/undeclared.ts';
import { type Facts, variablesOf } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import { stageEnvironment } from '../freshness/stage-environment.ts';
import type { StageInstance } from '../plan/plan.ts';
import { gpuEnvironment } from './gpus.ts';
import type { Grant } from './reservations.ts';
import { permissionsOf } from './stage-permissions.ts';

/** What decides what the process of any stage may see. */
export interface Surroundings {
  readonly session: Session;
  readonly hostFile: () => string;
  readonly environment: NodeJS.ProcessEnv;
  readonly facts: Facts;
  /** Watches what stages touch. */
  readonly tracer: Tracer | null;
  /** Where temporary files of stages go, if not into the instance's folder for incomplete files. */
  readonly scratch?: { readonly folder?: string };
}

/** Where a stage's process starts, and what it sees there. */
export type Confinement = Pick<
  StageLaunch,
  'hostFile' | 'taskFile' | 'cwd' | 'environment' | 'permissions' | 'wrapper'
> & {
  /** Where the trace goes; null: the stage is not traced. */
  readonly traceFile: string | null;
  /** What it declares, whether or not anything enforces that. */
  readonly declared: () => Promise<FilePermissions>;
  readonly declaration: Declaration;
};

/**
 * Writes a stage's task and determines its environment and the files that it may touch.
 *
 * @param temporary the instance's folder for incomplete files
 */
export async function confine(
  { session, hostFile, environment, facts, tracer, scratch: { folder } = {} }: Surroundings,
  { instance, grant }: { readonly instance: StageInstance; readonly grant: Grant },
  { module, ...given }: StageTask,
  temporary: string,
): Promise<Confinement> {
  const task = module === undefined ? given : { ...given, module: realpathSync.native(module) };
  const { projectRoot } = session.plan;
  // Where a path leads through a link, Node looks at the link, which is not among the files that the stage may read.
  const host = realpathSync.native(hostFile());
  const taskFile = path.join(temporary, 'task.json');
  const scratch = path.join(folder ?? temporary, 'scratch');
  await fs.mkdir(scratch, { recursive: true });
  // A trace finds everything at once; Node would stop the stage at the first undeclared file.
  const isLimited = instance.hermetic && tracer === null;
  const others = tracer === null ? [] : [...session.plan.instances.values()];
  const declaration: Declaration = {
    stage: instance.stage,
    where: formatPlace(instance.at),
    projectRoot,
    realRoot: realpathSync.native(projectRoot),
    outputs: instance.outputs,
    inputs: task.inputs,
    taken: others.flatMap((one) => (one.id === instance.id ? [] : [...one.outputs, ...one.resume])),
  };
  await fs.writeFile(taskFile, JSON.stringify(isLimited ? { ...task, declaration } : task));
  const code = await listCode(session, instance);
  const declared = () => permissionsOf(task, { projectRoot, hostFile: host, taskFile, code, scratch });
  const traceFile = path.join(temporary, 'trace.txt');
  return {
    hostFile: host,
    taskFile,
    cwd: projectRoot,
    environment: {
      ...stageEnvironment(variablesOf(instance, facts), environment),
      // Without any, the stage sees what there may be that the runner has not found.
      ...(grant.gpus.length === 0 ? {} : gpuEnvironment(grant.gpus, environment)),
      // The folder for temporary files of everybody else holds whatever they have left there.
      ...(instance.hermetic ? scratchVariables(scratch) : {}),
      ...(task.kind === 'command' ? { REPRO_EVENTS: path.join(scratch, 'events.jsonl') } : {}),
    },
    permissions: isLimited ? await declared() : null,
    wrapper: tracer?.wrap(traceFile) ?? null,
    traceFile: tracer === null ? null : traceFile,
    declared,
    declaration,
  };
}

function scratchVariables(scratch: string): Record<string, string> {
  return process.platform === 'win32' ? { TEMP: scratch, TMP: scratch } : { TMPDIR: scratch };
}

async function listCode({ closures, inputs }: Session, { command }: StageInstance): Promise<string[]> {
  const files =
    command.kind === 'module'
      ? (await closures.find(command.path)).files
      : await inputs.digestArguments(command.argv);
  return Object.keys(files);
}
