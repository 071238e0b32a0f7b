import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';

const program = sharedTemporaryFolder();
const chunks = path.join(program, 'dist/chunks');
for (const part of ['bin', 'dist']) {
  const filter = (file: string) => !/\.(map|code)$/.test(file);
  cpSync(path.resolve(import.meta.dirname, '../..', part), path.join(program, part), {
    recursive: true,
    filter,
  });
}

function call(...words: string[]) {
  const bin = path.join(program, 'bin/repro.js');
  const { status, stdout } = spawnSync(process.execPath, [bin, ...words], { cwd: program, encoding: 'utf8' });
  return { status, stdout };
}

const listKept = () => readdirSync(chunks).filter((name) => name.endsWith('.code'));

test('the first run keeps compiled code; what is damaged or of other code is not used', () => {
  const version = call('--version');
  expect(version.status).toBe(0);
  expect(listKept()).toEqual([]);
  const help = call('run', '--help');
  expect(help.stdout).toContain('Usage: repro run');
  const kept = listKept();
  expect(kept.length).toBeGreaterThan(0);
  expect(call('--version')).toEqual(version);

  const intact = kept.map((name) => readFileSync(path.join(chunks, name)));
  for (const damage of [
    (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
    (bytes: Buffer) => Buffer.alloc(bytes.length),
    (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i > 5000 && i < 6000 ? byte ^ 1 : byte))),
  ]) {
    for (const [i, name] of kept.entries()) writeFileSync(path.join(chunks, name), damage(intact[i]!));
    expect(call('--version')).toEqual(version);
    expect(call('run', '--help')).toEqual(help);
  }
  expect(listKept()).toEqual(kept);

  const entry = path.join(program, 'dist/cli/main.cjs');
  const other = readFileSync(entry, 'utf8').replace('Usage:', 'USAGE:');
  writeFileSync(entry, other);
  expect(call('run', '--help').stdout).toContain('USAGE: repro run');
});
