import { existsSync, realpathSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReproError } from '../../base/errors.ts';
import { isSameJson } from '../../base/files/canonical-json.ts';
import { formatPlace } from '../../base/schema/problems.ts';
import {
  type FilePermissions,
  listSystemFiles,
  type StageLaunch,
  systemSinks,
} from '../executors/executor.ts';
import { stageEnvironment, variablesOf } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { Declaration, StageTask } from '../stage/protocol.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { ExecutionContext, Work } from './execution-context.ts';
import { gpuEnvironment } from './machine.ts';
import type { OpenedResume, ResumeFolder } from './resume-folder.ts';
import type { StartState } from './start-state.ts';

/** Makes ready what an attempt starts with: its resume folders, and an empty place for each output. */
export async function prepareTask(
  context: ExecutionContext,
  { instance, fingerprint, parts, grant }: Work,
  temporary: string,
  resume: readonly ResumeFolder[],
  start: StartState,
): Promise<StageTask> {
  const { session } = context;
  for (const [i, folder] of resume.entries()) {
    // On another machine, it is opened there: its facts decide whether what is there belongs to this work.
    if (context.remote !== undefined) continue;
    const opened = await folder.open(fingerprint, start);
    for (const text of describeOpened(instance.resume[i] ?? '', opened)) {
      context.onEvent({ kind: 'note', id: instance.id, level: 'note', text });
    }
  }
  const outputs: string[] = [];
  for (const [i, output] of instance.outputs.entries()) {
    const folder = path.join(temporary, `output-${i}`);
    await fs.rm(folder, { recursive: true, force: true });
    await fs.mkdir(folder, { recursive: true });
    outputs.push(path.join(folder, path.basename(output)));
  }
  await fs.mkdir(temporary, { recursive: true });
  const { command } = instance;
  const code =
    command.kind === 'module' ? { module: await findBundle(session, command.path, parts) } : command;
  const inputs = instance.inputs.map((input) => path.resolve(session.plan.projectRoot, input.path));
  const namedInputs = nameInputsOf(instance, inputs);
  return {
    ...code,
    kind: command.kind,
    id: instance.id,
    params: instance.params,
    matrix: instance.matrix,
    facts: parts.facts,
    inputs,
    ...(namedInputs === null ? {} : { namedInputs }),
    outputs,
    resume: resume.map(({ absolute }) => absolute),
    cpus: grant.cpus,
  };
}

/** @throws {ReproError} `input-changed` if the code is no longer what the fingerprint says: other stages that start have it read anew */
async function findBundle(session: Session, module: string, parts: FingerprintParts): Promise<string> {
  const { bundleFile, files, packages } = await session.closures.find(module);
  if (isSameJson([files, packages], [parts.code, parts.packages])) return bundleFile;
  throw new ReproError('input-changed', 'its code or its packages changed while it was about to start', {
    where: module,
    fix: 'Run it again.',
  });
}

/** A path for each name, or several for an entry with a reference to a list; null if the inputs have no names. */
function nameInputsOf(
  { inputs }: StageInstance,
  paths: readonly string[],
): NonNullable<StageTask['namedInputs']> | null {
  if (inputs.length === 0) return null;
  const named: Record<string, string | string[]> = {};
  for (const [i, { name }] of inputs.entries()) {
    if (name === undefined) return null;
    const [file = '', before] = [paths[i], named[name]];
    named[name] = before === undefined ? file : [before, file].flat();
  }
  return named;
}

const texts: Readonly<Record<OpenedResume['other'], string | null>> = {
  none: null,
  'set-aside':
    'belongs to other code, inputs, parameters or facts and was set aside; it comes back when they run again',
  emptied:
    'belonged to no recorded run, or may come from a changed input, and was emptied: the stage starts over',
};

export function describeOpened(name: string, { other, isBack }: OpenedResume): string[] {
  const back = isBack ? 'was set aside earlier and is back: resuming from it' : null;
  return [texts[other], back].filter((text) => text !== null).map((text) => `${name} ${text}`);
}

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

async function listShared(projectRoot: string, hostFile: string): Promise<string[]> {
  return withRealPaths([
    hostFile,
    `${hostFile}.map`,
    path.join(path.dirname(hostFile), '../../chunks'),
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

/** The compiled stage host: `dist/runner/stage/host.js` of this package, wherever in `dist/` or `src/` we are. @throws {ReproError} `not-compiled` */
export function findHostFile(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder);
  }
  const file = path.join(folder, 'dist', 'runner', 'stage', 'host.js');
  if (!existsSync(file)) {
    throw new ReproError('not-compiled', 'the stage host is not compiled', {
      where: file,
      fix: 'npm run build',
    });
  }
  return file;
}
