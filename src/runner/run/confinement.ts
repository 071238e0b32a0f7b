import { existsSync, realpathSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReproError } from '../../errors.ts';
import type { FilePermissions, StageLaunch } from '../../executors/executor.ts';
import { listSystemFiles, systemSinks } from '../../executors/system-files.ts';
import { formatPlace } from '../../schema/problems.ts';
import type { StageTask } from '../../stage/protocol.ts';
import type { Declaration } from '../../stage/undeclared.ts';
import { stageEnvironment, variablesOf } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { ExecutionContext, Work } from './execution-context.ts';
import { gpuEnvironment } from './machine.ts';

type ConfinementContext = Pick<ExecutionContext, 'session' | 'hostFile' | 'environment' | 'facts'>;

type Confinement = Pick<StageLaunch, 'hostFile' | 'taskFile' | 'cwd' | 'environment' | 'permissions'>;

/** Writes a stage's task and determines its environment and the files that it may touch. */
export async function confine(
  { session, hostFile, environment, facts }: ConfinementContext,
  { instance, grant }: Work,
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
  const isLimited = instance.hermetic;
  const declaration: Declaration = {
    stage: instance.stage,
    where: formatPlace(instance.at),
    projectRoot,
    realRoot: realpathSync.native(projectRoot),
    outputs: instance.outputs,
    inputs: task.inputs,
  };
  await fs.writeFile(taskFile, JSON.stringify(isLimited ? { ...task, declaration } : task));
  const code = await listCode(session, instance);
  const files = { projectRoot, hostFile: host, taskFile, code, scratch };
  return {
    hostFile: host,
    taskFile,
    cwd: projectRoot,
    environment: {
      ...stageEnvironment(variablesOf(instance, facts), environment),
      // If the runner found no GPUs, the stage may still see some.
      ...(grant.gpus.length === 0 ? {} : gpuEnvironment(grant.gpus, environment)),
      // The system's folder for temporary files also holds files of other programs.
      ...(instance.hermetic ? { TMPDIR: scratch } : {}),
      ...(task.kind === 'command' ? { REPRO_EVENTS: path.join(scratch, 'events.jsonl') } : {}),
    },
    permissions: isLimited ? await permissionsOf(task, files) : null,
  };
}

async function listCode({ closures, inputs }: Session, { command }: StageInstance): Promise<string[]> {
  const files =
    command.kind === 'module'
      ? (await closures.find(command.path)).files
      : await inputs.digestArguments(command.argv);
  return Object.keys(files);
}

/**
 * The files that a stage may touch: it reads its inputs, its code, packages and the operating system; it writes to the folders of its
 * outputs, to its resume folders and to its scratch folder.
 *
 * @param files.code source files of its module, or files that its command names; relative to the project
 * @param files.scratch its folder for temporary files
 */
async function permissionsOf(
  task: StageTask,
  files: Readonly<Record<'projectRoot' | 'hostFile' | 'taskFile' | 'scratch', string>> & {
    readonly code: readonly string[];
  },
): Promise<FilePermissions> {
  const { projectRoot, hostFile, taskFile, scratch } = files;
  const outputs = task.outputs.map((output) => path.dirname(output));
  const write = withRealPaths([...outputs, ...task.resume, scratch]);
  const module = task.module === undefined ? [] : [task.module, ...listLookups(task.module)];
  const read = [
    // The bundler names sources by their real paths.
    ...[projectRoot, realPathOf(projectRoot)].flatMap((root) =>
      files.code.map((file) => path.resolve(root, file)),
    ),
    ...withRealPaths([...task.inputs, taskFile, ...module]),
    ...(await listShared(projectRoot, hostFile)),
    ...write,
  ];
  return { read: [...new Set([...read, ...systemSinks])], write: [...write, ...systemSinks] };
}

/** What all stages of a project may read. */
async function listShared(projectRoot: string, hostFile: string): Promise<string[]> {
  return withRealPaths([
    hostFile,
    `${hostFile}.map`,
    path.join(path.dirname(path.dirname(hostFile)), 'chunks'),
    ...listLookups(hostFile),
    path.join(projectRoot, 'package.json'),
    ...(await findPackageFolders(projectRoot)),
    ...listSystemFiles(projectRoot),
  ]);
}

/** Where Node looks for a module's kind and packages: in its folder and above. Node 20.19 fails where it may not look. */
function listLookups(module: string): string[] {
  const folder = path.dirname(module);
  const here = [path.join(folder, 'package.json'), path.join(folder, 'node_modules')];
  return folder === module ? [] : [...here, ...listLookups(folder)];
}

/** Where Node looks for the packages of the project, and where it finds those that are links, such as workspaces. */
async function findPackageFolders(projectRoot: string): Promise<string[]> {
  const folders = listLookups(path.join(projectRoot, 'x')).filter((one) => one.endsWith('node_modules'));
  return [...folders, ...(await Promise.all(folders.map(listLinks))).flat()];
}

async function listLinks(packages: string): Promise<string[]> {
  const entries = await fs.readdir(packages, { withFileTypes: true }).catch(() => []);
  const found = entries.map((one) => {
    const absolute = path.join(packages, one.name);
    if (one.isSymbolicLink()) return [absolute];
    return one.name.startsWith('@') && one.isDirectory() ? listLinks(absolute) : [];
  });
  return (await Promise.all(found)).flat();
}

/** Node compares paths as text, and code may use either form: `/var` is `/private/var` on macOS, an input may be a link. */
function withRealPaths(files: readonly string[]): string[] {
  return [...new Set(files.flatMap((file) => [file, realPathOf(file)]))];
}

function realPathOf(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file; // It does not exist, and may never.
  }
}

/** The compiled stage host: `dist/stage/host.js` of this package, wherever in `dist/` or `src/` we are. @throws {ReproError} `not-compiled` */
export function findHostFile(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder);
  }
  const file = path.join(folder, 'dist', 'stage', 'host.js');
  if (!existsSync(file)) {
    throw new ReproError('not-compiled', 'the stage host is not compiled', {
      where: file,
      fix: 'npm run build',
    });
  }
  return file;
}
