import { realpathSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { FilePermissions, StageLaunch } from '../../executors/executor.ts';
import { formatPlace } from '../../schema/source-position.ts';
import type { StageTask } from '../../stage/protocol.ts';
import type { Declaration } from '../../stage/undeclared.ts';
import { type Facts, variablesOf } from '../fingerprint/fingerprint.ts';
import type { StageInstance } from '../plan.ts';
import type { Session } from '../session.ts';
import { gpuEnvironment } from './gpus.ts';
import type { Grant } from './reservations.ts';
import { stageEnvironment } from './stage-environment.ts';
import { permissionsOf } from './stage-permissions.ts';

/** What decides what the process of any stage may see. */
export interface Surroundings {
  readonly session: Session;
  readonly hostFile: () => string;
  readonly environment: NodeJS.ProcessEnv;
  readonly facts: Facts;
}

/** Where a stage's process starts, and what it sees there. */
export type Confinement = Pick<
  StageLaunch,
  'hostFile' | 'taskFile' | 'cwd' | 'environment' | 'permissions'
> & {
  /** What it declares, whether or not anything enforces that. */
  readonly declared: FilePermissions;
  readonly declaration: Declaration;
};

/**
 * Writes a stage's task and determines its environment and the files that it may touch.
 *
 * @param temporary the instance's folder for incomplete files
 */
export async function confine(
  { session, hostFile, environment, facts }: Surroundings,
  { instance, grant }: { readonly instance: StageInstance; readonly grant: Grant },
  { module, ...given }: StageTask,
  temporary: string,
): Promise<Confinement> {
  const task = module === undefined ? given : { ...given, module: realpathSync.native(module) };
  const { projectRoot } = session.plan;
  // Where a path leads through a link, Node looks at the link, which is not among the files that the stage may read.
  const host = realpathSync.native(hostFile());
  const taskFile = path.join(temporary, 'task.json');
  const scratch = path.join(temporary, 'scratch');
  await fs.mkdir(scratch, { recursive: true });
  const declaration: Declaration = {
    stage: instance.stage,
    where: formatPlace(instance.at),
    projectRoot,
    outputs: instance.outputs,
    inputs: task.inputs,
  };
  await fs.writeFile(taskFile, JSON.stringify(instance.hermetic ? { ...task, declaration } : task));
  const code = await listCode(session, instance);
  const declared = await permissionsOf(task, { projectRoot, hostFile: host, taskFile, code, scratch });
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
    },
    permissions: instance.hermetic ? declared : null,
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
