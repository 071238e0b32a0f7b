import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Store } from '../../../src/runner/store/store.ts';
import { scanTree } from '../../../src/runner/store/tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A store that holds one file, and where its bytes are. */
async function createStore() {
  const root = await temporaryFolder();
  writeFileSync(path.join(root, 'x'), 'one');
  const store = new Store(path.join(root, 'store'));
  const put = async () => store.put(await scanTree(path.join(root, 'x')), path.join(root, 'tmp'));
  const stored = await put();
  if (stored.kind !== 'file') throw new Error('x is a file');
  const output = { path: 'x', kind: 'file', digest: stored.digest, sizeBytes: 3, files: 1 } as const;
  const object = path.join(root, 'store/files', stored.digest.slice(0, 2), stored.digest);
  const target = path.join(root, 'restored');
  return { root, store, put, object, target, restore: () => store.restore(output, target) };
}

test('an object that cannot be read is damaged: it is named, removed, and stored again', async () => {
  const { put, object, target, restore } = await createStore();
  await rm(object);
  mkdirSync(path.join(object, 'below'), { recursive: true });
  expect(await restore()).toBe('x: its copy in the store is damaged');
  expect(await restore()).toBe('x: its copy in the store is missing');
  await put();
  expect(await restore()).toBe(null);
  expect(readFileSync(target, 'utf8')).toBe('one');
});

test('an object is not blamed for a place that cannot be written', async () => {
  const { object, target, restore } = await createStore();
  mkdirSync(target);
  await expect(restore()).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
  expect(readFileSync(object, 'utf8')).toBe('one');
});

test('nothing but a sha256 leads to a file', async () => {
  const { root, store, object } = await createStore();
  const evil = '../../../x';
  for (const kind of ['file', 'folder'] as const) {
    const output = { path: 'y', kind, digest: evil, sizeBytes: 3, files: 1 };
    const restored = await store.restore(output, path.join(root, 'y')).catch((error: Error) => error.message);
    expect(restored, kind).toMatch(/missing|not a SHA-256/);
  }
  await expect(store.adopt([{ sha256: evil, file: object }])).rejects.toThrow('not a SHA-256');
  await expect(store.keepFile(evil, Buffer.from('evil'))).rejects.toThrow('not a SHA-256');
  expect(await store.readFile(evil, 100)).toBe(null);
  expect(readFileSync(path.join(root, 'x'), 'utf8')).toBe('one');
});
