import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { permissionFlags } from '../../src/executors/node-permissions.ts';

async function createFolder(): Promise<string> {
  const folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'repro-flags-')));
  onTestFinished(() => fs.rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a folder includes what is in it, a file is only itself, and what is below another is left out', async () => {
  const folder = await createFolder();
  await fs.mkdir(path.join(folder, 'a'));
  await fs.writeFile(path.join(folder, 'f'), '');
  const at = (name: string) => path.join(folder, name);
  const flags = permissionFlags({
    read: [at('f'), at('new'), at('a'), at('a/b'), at('a')],
    write: [at('a')],
  });
  expect(flags.filter((one) => one.startsWith('--allow-fs'))).toEqual([
    `--allow-fs-read=${at('a/*')}`,
    `--allow-fs-read=${at('f')}`,
    `--allow-fs-read=${at('new')}`,
    `--allow-fs-read=${at('new/*')}`,
    `--allow-fs-write=${at('a/*')}`,
  ]);
});

test('the flag of the permission model is the one that this version of Node.js has', () => {
  const none = { read: [], write: [] };
  expect(permissionFlags(none, new Set(['--experimental-permission']))[0]).toBe('--experimental-permission');
  expect(permissionFlags(none, new Set(['--permission', '--experimental-permission']))[0]).toBe(
    '--permission',
  );
});

test('Node.js starts with any set of paths, and allows exactly these', async () => {
  const folder = await createFolder();
  // Names that begin alike and lie in each other: Node 20 aborts on some orders of them.
  const name = fc.constantFrom('a', 'ab', 'abc', 'b', 'a b', 'a,b', 'é', 'A');
  const file = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const program = `const fs = require('node:fs');
    const open = process.argv.slice(1).filter((one) => { try { fs.statSync(one); return true; } catch (e) { return e.code !== 'ERR_ACCESS_DENIED'; } });
    console.log(JSON.stringify(open));`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { maxLength: 12 }),
      fc.array(file, { minLength: 1, maxLength: 12 }),
      async (read, tried) => {
        const flags = permissionFlags({ read: read.map((one) => path.join(folder, one)), write: [] });
        const words = tried.map((one) => path.join(folder, one));
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [...flags, '-e', program, '--', ...words],
          { encoding: 'utf8' },
        );
        expect(stderr).toBe('');
        expect(status).toBe(0);
        const expected = words.filter((word) =>
          read.some((one) => `${word}/`.startsWith(`${path.join(folder, one)}/`)),
        );
        const opened = JSON.parse(stdout) as string[];
        // Some versions, such as 20.19.0 and 24, also open the path at which two of them part: `/a` for `/a/b` and `/ab`.
        const parts = (word: string) =>
          new Set(read.map((one) => path.join(folder, one)[word.length])).size > 1;
        const isExtra = (word: string) => !expected.includes(word) && parts(word);
        expect(opened.filter((word) => !isExtra(word))).toEqual(expected);
      },
    ),
    { seed: 1, numRuns: 25 },
  );
});
