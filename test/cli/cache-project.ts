import { rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, onTestFinished } from 'vitest';
import { createCrashProject, repro, runWhole } from '../runner/rig/crash/project.ts';
import { makeStorage } from '../runner/share/storage.ts';

/** Runs `repro` in a folder; a failure is a result. */
export function call(cwd: string, ...words: readonly string[]) {
  return execa(process.execPath, [repro, ...words], { cwd, reject: false });
}

/** A project whose version 1 has run, and a fresh copy of it that has run nothing. */
export async function createTwo(): Promise<{ root: string; copy: string }> {
  const root = await createCrashProject();
  const copy = `${root}-copy`;
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  await cp(root, copy, { recursive: true });
  expect((await runWhole(root, 1)).exitCode).toBe(0);
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

/** The same; the copy has the committed records, too. */
export async function createLocked() {
  const shared = await createShared();
  await call(shared.root, 'lock', '--set', 'version=1');
  await cp(path.join(shared.root, 'repro.lock'), path.join(shared.copy, 'repro.lock'), { recursive: true });
  return shared;
}
