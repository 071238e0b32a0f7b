import { realpathSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { FilePermissions } from '../../executors/executor.ts';
import { listSystemFiles, systemSinks } from '../../executors/system-files.ts';
import type { StageTask } from '../../stage/protocol.ts';

/** What a stage's process needs besides what its task names. */
export interface StageSurroundings {
  /** Absolute. */
  readonly projectRoot: string;
  readonly hostFile: string;
  readonly taskFile: string;
  /** Source files of its module, or files that its command names; relative to the project. */
  readonly code: readonly string[];
  /** Its folder for files that nobody else needs. */
  readonly scratch: string;
}

/**
 * The files that a stage may touch: it reads its inputs, its code, packages and the operating system; it writes to the folders of its
 * outputs, to its resume folders and to its scratch folder.
 */
export async function permissionsOf(
  task: StageTask,
  { projectRoot, hostFile, taskFile, code: sources, scratch }: StageSurroundings,
): Promise<FilePermissions> {
  const write = withRealPaths([
    ...task.outputs.map((output) => path.dirname(output)),
    ...task.resume,
    scratch,
  ]);
  const code = sources.map((file) => path.resolve(projectRoot, file));
  const read = [
    // The bundler names sources by their real paths.
    ...code.flatMap((file) => [file, path.join(realPathOf(projectRoot), path.relative(projectRoot, file))]),
    ...withRealPaths([...task.inputs, taskFile]),
    ...(task.module === undefined ? [] : withRealPaths([task.module, ...listLookups(task.module)])),
    ...(await listShared(projectRoot, hostFile)),
    ...write,
  ];
  return { read: [...new Set([...read, ...systemSinks])], write: [...write, ...systemSinks] };
}

const knownShared = new Map<string, Promise<string[]>>();

/** What all stages of a project may read. */
function listShared(projectRoot: string, hostFile: string): Promise<string[]> {
  const known = knownShared.get(projectRoot) ?? findShared(projectRoot, hostFile);
  knownShared.set(projectRoot, known);
  return known;
}

async function findShared(projectRoot: string, hostFile: string): Promise<string[]> {
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
  return listFoldersAbove(module).flatMap((folder) => [
    path.join(folder, 'package.json'),
    path.join(folder, 'node_modules'),
  ]);
}

/** The folder of a file, the one that this is in, and so on. */
function listFoldersAbove(file: string): string[] {
  const folder = path.dirname(file);
  return folder === file ? [] : [folder, ...listFoldersAbove(folder)];
}

/** Where Node looks for the packages of the project, and where it finds those that are links, such as workspaces. */
async function findPackageFolders(projectRoot: string): Promise<string[]> {
  const folders = [projectRoot, ...listFoldersAbove(projectRoot)].map((one) =>
    path.join(one, 'node_modules'),
  );
  return [...folders, ...(await Promise.all(folders.map(listLinks))).flat()];
}

async function listLinks(packages: string): Promise<string[]> {
  const entries = await fs.readdir(packages, { withFileTypes: true }).catch(() => []);
  const nested = entries.filter((one) => one.name.startsWith('@') && one.isDirectory());
  return [
    ...entries.filter((one) => one.isSymbolicLink()).map((one) => path.join(packages, one.name)),
    ...(await Promise.all(nested.map((one) => listLinks(path.join(packages, one.name))))).flat(),
  ];
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
