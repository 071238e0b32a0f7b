import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { packZip } from '../../../src/base/files/zip-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('a zip opens its files when it is read, and fails if one is missing then', async () => {
  const file = path.join(await temporaryFolder(), 'late.txt');
  await expect(buffer(packZip([['late.txt', file]]))).rejects.toMatchObject({ code: 'ENOENT' });
  const zip = packZip([['late.txt', file]]);
  await writeFile(file, 'content');
  expect(String(await buffer(zip))).toContain('content');
});
