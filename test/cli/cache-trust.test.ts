import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { makeStorage } from '../runner/remote/storage.ts';
import { filesBelow } from '../runner/rig/crash/checks.ts';
import { createCrashProject, repro, runWhole } from '../runner/rig/crash/project.ts';

/** A project that has run and pushed version 1, a fresh copy of it, and the remote. */
async function createShared() {
  const root = await createCrashProject();
  const copy = `${root}-copy`;
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  await cp(root, copy, { recursive: true });
  expect((await runWhole(root, 1)).exitCode).toBe(0);
  const { address } = await makeStorage('folder');
  const call = (cwd: string, ...words: readonly string[]) =>
    execa(process.execPath, [repro, ...words], { cwd, reject: false });
  const remote = ['--remote', address, '--set', 'version=1'];
  expect((await call(root, 'cache', 'push', ...remote)).exitCode).toBe(0);
  return { root, copy, address, remote, call };
}

test('a committed record whose digest is a path is damaged, and leads to no file', async () => {
  const { root, copy, address, call } = await createShared();
  await call(root, 'lock', '--set', 'version=1');
  await cp(path.join(root, 'repro.lock'), path.join(copy, 'repro.lock'), { recursive: true });
  const file = path.join(copy, 'repro.lock/p/d/d.json');
  const record = JSON.parse(readFileSync(file, 'utf8'));
  // In the store that would be the project's own pipeline.yaml, which is not what its name says, and would be removed.
  const victim = path.join(copy, 'pipeline.yaml');
  Object.assign(record.outputs[0], { digest: '../../../pipeline.yaml', sizeBytes: statSync(victim).size });
  writeFileSync(file, JSON.stringify(record));
  const pulled = await call(copy, 'cache', 'pull', 'd', '--locked', '--remote', address);
  expect(pulled.exitCode).toBe(1);
  expect(pulled.stderr).toContain('repro.lock/p/d/d.json  this committed record is missing or damaged');
  expect(existsSync(victim)).toBe(true);
});

test('what a remote record says cannot act on the terminal', async () => {
  const { root, copy, address, remote, call } = await createShared();
  const evil = '\u001b]0;evil\u0007here\u001b[2J';
  const files = filesBelow(path.join(address, 'v1/actions'));
  for (const file of files) {
    const record = JSON.parse(readFileSync(file, 'utf8'));
    // Other results of the same fingerprint, all of them there.
    writeFileSync(file, JSON.stringify({ ...record, host: evil }));
  }
  const ran = await call(copy, 'run', '--pull', ...remote);
  expect(ran.stderr).toContain('made on here, ');
  expect(ran.stderr).not.toContain('\u001b');

  const d = files.find((file) => JSON.parse(readFileSync(file, 'utf8')).id === 'd') ?? '';
  const c = files.find((file) => JSON.parse(readFileSync(file, 'utf8')).id === 'c@low') ?? '';
  const record = JSON.parse(readFileSync(d, 'utf8'));
  const [other] = JSON.parse(readFileSync(c, 'utf8')).outputs;
  const outputs = [{ ...other, path: record.outputs[0].path }];
  writeFileSync(d, JSON.stringify({ ...record, outputs }));
  const pushed = await call(root, 'cache', 'push', 'd', ...remote);
  expect(pushed.stderr).toContain('made on here, ');
  expect(pushed.stderr).not.toContain('\u001b');

  writeFileSync(d, JSON.stringify({ ...record, startedAt: evil }));
  const pulled = await call(copy, 'cache', 'pull', 'd', ...remote, '--set', 'version=1');
  expect(pulled.stderr).not.toContain('\u001b');
});
