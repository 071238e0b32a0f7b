import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { importIntoFolder } from '../../src/checkpoints/import-export.ts';
import { loadCheckpoint } from '../../src/checkpoints/loaded-checkpoint.ts';
import { openFrameCache } from '../../src/training/frame-cache.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { torchFixturePath } from '../support/torch-file.ts';
import { writeFrameCache } from './frames-of-fixture.ts';

/** What a fuzzer found to end in an error that names no file, or in none at all. */
const damages: readonly {
  readonly what: string;
  readonly code: string;
  readonly open: (file: string) => Promise<unknown>;
  readonly name: string;
  readonly make: (file: string) => Promise<void>;
}[] = [
  {
    what: 'a zip whose end says that it goes on beyond byte 2^53',
    code: 'torch-broken',
    open: (file) => importIntoFolder(file, { answers: {}, force: false }),
    name: 'x.pt',
    make: async (file) => {
      const bytes = await readFile(torchFixturePath('baseline.pt'));
      const at = bytes.lastIndexOf('PK\x06\x07') + 8;
      await writeFile(file, bytes.fill(0xff, at, at + 8));
    },
  },
  ...[`${'['.repeat(20_000)}${']'.repeat(20_000)}`, '{"toString":0}'].map((dtype) => ({
    what: `a header with the dtype ${dtype.slice(0, 20)}`,
    code: 'safetensors-invalid',
    open: (file: string) => loadCheckpoint(file),
    name: 'x.safetensors',
    make: (file: string) => {
      const header = Buffer.from(`{"w":{"dtype":${dtype},"shape":[],"data_offsets":[0,0]}}`);
      const length = Buffer.alloc(8);
      length.writeUInt32LE(header.length);
      return writeFile(file, Buffer.concat([length, header]));
    },
  })),
  {
    what: 'a folder in place of clips.json',
    code: 'special-file',
    open: (file) => openFrameCache(path.dirname(file)),
    name: 'clips.json',
    make: async (file) => {
      await writeFrameCache(path.dirname(file));
      await rm(file);
      await mkdir(file);
    },
  },
];

describe('a damaged file is refused by its name:', () => {
  test.each(damages)('$what', async ({ code, open, name, make }) => {
    const folder = await temporaryFolder();
    const file = path.join(folder, name);
    await make(file);
    await expect(open(file)).rejects.toMatchObject({ code, where: file });
  });
});
