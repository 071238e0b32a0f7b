import { cp } from 'node:fs/promises';
import process from 'node:process';
import { execa } from 'execa';
import { beforeAll, expect } from 'vitest';
import { parent, repro, runWhole, writeCrashProject } from '../runner/rig/crash/project.ts';
import { makeStorage } from '../runner/share/storage.ts';
import { sharedTemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

/** Runs `repro` in a folder; a failure is a result. */
export function call(cwd: string, ...words: readonly string[]) {
  return execa(process.execPath, [repro, ...words], { cwd, reject: false });
}

let finished: string;

/** Runs version 1 of the project once for all tests of the file that calls this. */
export function useFinishedProject(): void {
  const folder = sharedTemporaryFolder(parent);
  beforeAll(async () => {
    finished = folder;
    await writeCrashProject(folder);
    expect((await runWhole(folder, 1)).exitCode).toBe(0);
  });
}

/** A project whose version 1 has run, and one that has run nothing. */
export async function createTwo(): Promise<{ root: string; copy: string }> {
  const [root, copy] = [await temporaryFolder(parent), await temporaryFolder(parent)];
  await cp(finished, root, { recursive: true, preserveTimestamps: true });
  await writeCrashProject(copy);
  return { root, copy };
}

/** The same, pushed to a remote. */
export async function createShared() {
  const { root, copy } = await createTwo();
  const { address } = await makeStorage('folder');
  const remote = ['--remote', address, '--set', 'version=1'];
  expect((await call(root, 'cache', 'push', ...remote)).exitCode).toBe(0);
  return { root, copy, address, remote };
}
