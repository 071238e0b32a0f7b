import { mkdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { hashFiles } from '../../../src/runner/store/hash-files.ts';
import { scanTree, stampOf } from '../../../src/runner/store/tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** What happens once a folder has been listed. */
const listed = vi.hoisted(() => ({ act: () => {} }));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  const readdirSync = (...args: unknown[]) => {
    const found = (real.readdirSync as (...args: unknown[]) => unknown)(...args);
    listed.act();
    return found;
  };
  return { ...real, readdirSync };
});

let folder: string;

beforeEach(async () => {
  listed.act = () => {};
  folder = await temporaryFolder();
});

const at = (...parts: readonly string[]): string => path.join(folder, ...parts);

test.each([
  ['file', () => writeFileSync(at('b'), '')],
  ['folder', () => mkdirSync(at('b'))],
])('a %s that vanishes during a scan is an error that names it', async (_, make) => {
  writeFileSync(at('a'), '');
  make();
  listed.act = () => rmSync(at('b'), { recursive: true, force: true });
  await expect(scanTree(folder)).rejects.toMatchObject({ code: 'file-changed', where: at('b') });
});

test('a link that vanishes is not taken for one that points to nothing', async () => {
  symlinkSync('a', at('b'));
  writeFileSync(at('a'), '');
  const scan = await scanTree(folder);
  expect(scan.files.map((file) => file.path)).toEqual(['a', 'b']);
  listed.act = () => rmSync(at('b'), { force: true });
  await expect(scanTree(folder)).rejects.toMatchObject({ code: 'file-changed', where: at('b') });
});

test.each([
  ['small', 10],
  ['large, which is read in threads', 20_000_000],
])('a file that vanishes before it is read is an error that names it: %s', async (_, sizeBytes) => {
  for (const name of ['a', 'b']) {
    writeFileSync(at(name), '');
    truncateSync(at(name), sizeBytes);
  }
  const files = ['a', 'b'].map((name) => ({
    absolute: at(name),
    stamp: stampOf(statSync(at(name), { bigint: true })),
  }));
  rmSync(at('b'));
  await expect(hashFiles(files)).rejects.toMatchObject({ code: 'file-changed', where: at('b') });
});
