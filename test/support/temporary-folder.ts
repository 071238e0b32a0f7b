import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** An empty folder for one test, removed at its end; in `beforeEach`, one for each test. */
export async function temporaryFolder(parent = os.tmpdir()): Promise<string> {
  const folder = makeFolder(parent);
  onTestFinished(() => remove(folder));
  return folder;
}

/** An empty folder for all tests of the file or of the `describe` that asks for it, removed after them. */
export function sharedTemporaryFolder(parent = os.tmpdir()): string {
  const folder = makeFolder(parent);
  afterAll(() => remove(folder));
  return folder;
}

function makeFolder(parent: string): string {
  return realpathSync(mkdtempSync(path.join(parent, 'repro-test-')));
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
