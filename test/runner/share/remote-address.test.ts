import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openRemote } from '../../../src/runner/share/open-remote.ts';
import { fileKeyOf } from '../../../src/runner/share/remote.ts';
import { makeStorage } from './storage.ts';

test.each(['', 's3://', 's3://UPPER/x', 'http://example.org/x', 'file://host/share', 'gs://bucket'])(
  'an address of a remote cache is not %j',
  async (address) => {
    await expect(openRemote({ address }, '/')).rejects.toMatchObject({ code: 'remote-address' });
  },
);

test('a folder is only made by who writes into it, who also removes what killed uploads left', async () => {
  const { address } = await makeStorage('folder');
  await expect(openRemote({ address }, '/', { isNewAllowed: false })).rejects.toMatchObject({
    code: 'remote-missing',
    message: 'this folder does not exist',
  });
  const remote = await openRemote({ address }, '/');
  const folder = path.join(address, path.dirname(fileKeyOf('a'.repeat(64))));
  mkdirSync(folder, { recursive: true });
  for (const [name, seconds] of [
    ['.old.partial', Date.now() / 1000 - 25 * 3600],
    ['.young.partial', Date.now() / 1000],
  ] as const) {
    writeFileSync(path.join(folder, name), 'half');
    utimesSync(path.join(folder, name), seconds, seconds);
  }
  await remote.write(fileKeyOf('a'.repeat(64)), 'content');
  expect(readdirSync(folder).sort()).toEqual(['.young.partial', 'a'.repeat(64)]);
});

test('a folder whose parent does not exist is probably not mounted', async () => {
  await expect(openRemote({ address: '/nowhere/at/all' }, '/')).rejects.toMatchObject({
    code: 'remote-missing',
  });
});
