import { readdirSync } from 'node:fs';
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

test('a folder is only made by who writes into it', async () => {
  const { address } = await makeStorage('folder');
  await expect(openRemote({ address }, '/', false)).rejects.toMatchObject({
    code: 'remote-missing',
    message: 'this folder does not exist',
  });
  const remote = await openRemote({ address }, '/');
  await remote.write(fileKeyOf('a'.repeat(64)), 'content');
  expect(readdirSync(path.join(address, path.dirname(fileKeyOf('a'.repeat(64)))))).toEqual(['a'.repeat(64)]);
});

test('a folder whose parent does not exist is probably not mounted', async () => {
  await expect(openRemote({ address: '/nowhere/at/all' }, '/')).rejects.toMatchObject({
    code: 'remote-missing',
  });
});
