import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { filesBelow, readOutputs } from '../runner/rig/crash/checks.ts';
import { expectedFiles, repro, runWhole } from '../runner/rig/crash/project.ts';
import { call, createShared, useFinishedProject } from './cache-project.ts';

useFinishedProject();

test('verify goes on past what cannot be read', async () => {
  const { root } = await createShared();
  const folder = path.join(root, 'artifacts/.cache');
  const [object = '', sound = ''] = filesBelow(path.join(folder, 'store/files'));
  rmSync(object);
  mkdirSync(object);
  chmodSync(sound, 0o644);
  writeFileSync(sound, 'damaged');
  const found = await call(root, 'cache', 'verify', '--json');
  expect(found.exitCode, found.stderr).toBe(1);
  const damaged = [object, sound].map((file) => path.relative(root, file)).sort();
  expect(JSON.parse(found.stdout).damaged).toEqual(damaged);
  expect((await call(root, 'cache', 'verify')).exitCode).toBe(0);
  for (const output of Object.keys(readOutputs(root))) rmSync(path.join(root, output));
  expect((await runWhole(root, 1)).exitCode).toBe(0);
  expect(readOutputs(root)).toEqual(expectedFiles(1));
});

/** Storage that takes connections and then is silent. @returns its address, and when it is asked for the first time */
async function stall(): Promise<{ endpoint: string; asked: Promise<unknown> }> {
  let onAsked = (_: unknown): void => {};
  const asked = new Promise((resolve) => {
    onAsked = resolve;
  });
  const server = http.createServer(({ method, url = '' }, response) => {
    if (method === 'PUT') onAsked(url);
    else if (method === 'HEAD' || url.includes('/push/')) response.writeHead(404).end();
    else {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => onAsked(url));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, asked };
}

// Without waiting for the minute after which a silent connection counts as dead.
test.each(['push', 'pull'])(
  'Ctrl-C stops a %s whose transfer is under way',
  { timeout: 50_000 },
  async (command) => {
    const { root, copy } = await createShared();
    const { endpoint, asked } = await stall();
    const words = ['cache', command, '--remote', `s3://bucket/${command}`, '--set', 'version=1'];
    const running = execa(process.execPath, [repro, ...words], {
      cwd: command === 'push' ? root : copy,
      reject: false,
      env: { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_ENDPOINT_URL: endpoint },
    });
    await asked;
    running.kill('SIGINT');
    const { exitCode, stderr } = await running;
    expect(exitCode, stderr).toBe(130);
  },
);
