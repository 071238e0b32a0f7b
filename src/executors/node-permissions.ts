import { statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { FilePermissions } from './executor.ts';

/**
 * The flags with which Node.js lets a process touch only these files. Threads and addons work; other programs cannot be started.
 * What this covers, and what it does not: docs/hermetic.md.
 */
export function permissionFlags(
  { read, write }: FilePermissions,
  known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags,
): string[] {
  // Before Node 22.13 it was an experiment under another name.
  const model = known.has('--permission') ? '--permission' : '--experimental-permission';
  return [
    model,
    '--allow-worker',
    '--allow-addons',
    // From Node 25 on the network is limited, too. What comes from it is no file that could be declared.
    ...(known.has('--allow-net') ? ['--allow-net'] : []),
    // That this is experimental (Node 20), and that addons are not checked, is not news to a stage's log.
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
    ...listGrants(read).map((one) => `--allow-fs-read=${one}`),
    ...listGrants(write).map((one) => `--allow-fs-write=${one}`),
  ];
}

/**
 * Files as Node wants them: `/a/*` for a folder, both `/a` and `/a/*` for what does not exist yet. They are sorted and none is below
 * another, because Node 20 aborts if it has to add a path to its tree where there is one already.
 */
function listGrants(files: readonly string[]): string[] {
  const grants = new Set(files.flatMap(grantsOf));
  const folders = [...grants].filter((one) => one.endsWith('*')).map((one) => one.slice(0, -1));
  return [...grants]
    .filter((one) => !folders.some((folder) => one.startsWith(folder) && one !== `${folder}*`))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function grantsOf(file: string): string[] {
  const below = `${file.replace(/[/\\]$/, '')}${path.sep}*`;
  try {
    return statSync(file).isDirectory() ? [below] : [file];
  } catch {
    return [file, below];
  }
}
