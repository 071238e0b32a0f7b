import { mkdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { hashFiles } from '../../../src/runner/store/hash-files.ts';
import { scanTree, stampOf } from '../../../src/runner/store/tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

const at = (...parts: readonly string[]): string => path.join(folder, ...parts);

test.each([
  ['file', () => writeFileSync(at('b'), '')],
  ['folder', () => mkdirSync(at('b'))],
])('a %s that vanishes during a scan is an error that names it', async (_, make) => {
  writeFileSync(at('a'), '');
  make();
  // The scan asks about each entry in turn, after it has listed the folder.
  const removing = scanTree(folder, (absolute) => {
    if (absolute === at('b')) rmSync(at('b'), { recursive: true });
    return false;
  });
  await expect(removing).rejects.toMatchObject({ code: 'file-changed', where: at('b') });
});

test('a link that vanishes is not taken for one that points to nothing', async () => {
  symlinkSync('a', at('b'));
  writeFileSync(at('a'), '');
  const scan = await scanTree(folder);
  expect(scan.files.map((file) => file.path)).toEqual(['a', 'b']);
  const removing = scanTree(folder, (absolute) => {
    if (absolute === at('b')) rmSync(at('b'));
    return false;
  });
  await expect(removing).rejects.toMatchObject({ code: 'file-changed', where: at('b') });
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
