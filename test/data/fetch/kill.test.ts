import { spawn } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { beforeAll, expect, test } from 'vitest';
import { compileProgram } from '../../support/programs.ts';
import { Fetcher, makeContent, makeFetcher, PART, remoteFile, serve, startServer } from './rig.ts';

let script: string;
beforeAll(async () => {
  script = await compileProgram('test/data/fetch/killed-fetch.ts');
});

interface Ending {
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

function run(...args: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (_, signal) => resolve({ signal, output }));
  });
}

// Starts a process for each of some 25 steps.
test('a download that is killed before any step on the disk is continued: right, and nothing fetched twice', async () => {
  const content = makeContent(200_000);
  const server = await startServer(serve(content));
  const file = remoteFile(content, [server.url()]);
  const { folder } = await makeFetcher();
  const kept: number[] = [];
  for (let deadly = 0; ; deadly += 1) {
    const fetcher = new Fetcher(path.join(folder, String(deadly)));
    await mkdir(fetcher.folder);
    const { signal, output } = await run(fetcher.folder, JSON.stringify(file), String(deadly));
    if (output === 'complete') break;
    expect(signal).toBe('SIGKILL');
    const part = await stat(path.join(fetcher.folder, PART)).catch(() => null);
    const isThere = (await fetcher.names()).includes('file.bin');
    const before = server.sentBytes;
    const outcome = await fetcher.fetch(file);
    expect(await fetcher.has(content), `step ${deadly}`).toBe(true);
    // Of a lock, the folder may remain.
    expect((await fetcher.names()).filter((name) => name !== '.fetch-lock')).toEqual(['file.bin']);
    const here = isThere ? content.length : (part?.size ?? 0);
    expect(server.sentBytes - before, `step ${deadly}`).toBe(content.length - here);
    expect(outcome).toBe(isThere ? 'already there' : 'downloaded');
    kept.push(here);
  }
  // Killed without anything, with a part, with all of it under the other name, and with the complete file.
  expect(kept).toContain(0);
  expect(kept.some((bytes) => bytes > 0 && bytes < content.length)).toBe(true);
  expect(kept.filter((bytes) => bytes === content.length).length).toBeGreaterThan(1);
}, 300_000);
