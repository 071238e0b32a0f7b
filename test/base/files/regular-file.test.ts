import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  openRegular,
  openRegularSync,
  readRegular,
  streamRegular,
} from '../../../src/base/files/regular-file.ts';
import { readJsonSchema } from '../../../src/base/schema/json-schema.ts';
import { readYamlFile } from '../../../src/base/schema/yaml-document.ts';
import { hashFile } from '../../../src/data/reading/file-tree.ts';
import { TarTree } from '../../../src/data/reading/tar-tree.ts';
import { ZipTree } from '../../../src/data/reading/zip-tree.ts';
import { loadCheckpoint } from '../../../src/exchange/checkpoints/loaded-checkpoint.ts';
import { openSavedFile } from '../../../src/exchange/checkpoints/saved-file.ts';
import { openNpy } from '../../../src/formats/npy-file.ts';
import { openRemote } from '../../../src/runner/share/open-remote.ts';
import { fileKeyOf } from '../../../src/runner/share/remote.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

async function makePipe(name: string): Promise<string> {
  const pipe = path.join(folder, name);
  await mkdir(path.dirname(pipe), { recursive: true });
  execFileSync('mkfifo', [pipe]);
  return pipe;
}

/** What reads configuration wraps every error of the file system. */
function throwCause(error: unknown): never {
  throw error instanceof Error ? error.cause : error;
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

describe('a pipe is refused by name instead of waited for', () => {
  test.each([
    ['a checkpoint', 'x.safetensors', (file: string) => loadCheckpoint(file)],
    ['a file to import', 'x.safetensors', openSavedFile],
    ['a file of PyTorch', 'x.pt', openSavedFile],
    ['a JSON Schema', 'x.json', (file: string) => readJsonSchema(file, file).catch(throwCause)],
    ['a profile', 'x.yaml', (file: string) => readYamlFile(file, file).catch(throwCause)],
    ['frames', 'x.npy', (file: string) => openNpy(file)],
    ['an archive to hash', 'x.tar.gz', (file: string) => hashFile(file, undefined)],
    ['a .tar.gz', 'x.tar.gz', (file: string) => new TarTree(file, 'x').walk(async () => {})],
    ['a zip', 'x.zip', (file: string) => new ZipTree(file, 'x').list()],
  ])('as %s', async (_, name, read) => {
    const where = await makePipe(name);
    await expect(read(where)).rejects.toMatchObject({ code: 'special-file', where });
  });

  test('as an object of a remote cache', async () => {
    const remote = await openRemote({ address: folder }, folder);
    const key = fileKeyOf('a'.repeat(64));
    const where = await makePipe(key);
    await expect(remote.open(key)).rejects.toMatchObject({ code: 'special-file', where });
  });
});

test('a folder in the place of a file is refused by name', async () => {
  const refusal = { code: 'special-file', where: folder, message: expect.stringContaining('found a folder') };
  await expect(openRegular(folder)).rejects.toMatchObject(refusal);
  expect(() => openRegularSync(folder)).toThrow(expect.objectContaining(refusal));
});

test('a regular file is read whole, and in pieces', async () => {
  const file = path.join(folder, 'x');
  const content = 'content'.repeat(300_000);
  await writeFile(file, content);
  expect((await readRegular(file)).toString()).toBe(content);
  expect(await gather(streamRegular(file))).toBe(content);
  closeSync(openRegularSync(file));
});
