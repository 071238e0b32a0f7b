import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openCaseFolder } from '../../../src/exchange/parity/given-case.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test.each<[string, (file: string) => unknown]>([
  ['a pipe', (file) => execFileSync('mkfifo', [file])],
  ['a folder', (file) => mkdir(file)],
])('%s in place of a file is refused, not waited for', async (_, make) => {
  const folder = await temporaryFolder();
  const where = path.join(folder, 'index.json');
  await make(where);
  const cases = await openCaseFolder(folder);
  await expect(cases.read('index.json')).rejects.toMatchObject({ code: 'special-file', where });
});
