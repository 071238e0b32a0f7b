import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareTraining } from '../../src/original/preparation.ts';
import { describeRecord, readRecord, refuseOther, writeRecord } from '../../src/original/run-record.ts';
import { shortestCommand } from './documented-commands.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'run-record-'));
});
afterEach(() => rm(folder, { recursive: true }));

const record = describeRecord(
  prepareTraining(shortestCommand, 'intent', '.'),
  { dataset: { name: 'dvs128-gesture', simulated: false }, frames: { steps: 4 } },
  'a-digest',
  { name: 'tfjs', backend: 'cpu', version: '4.22.0', reason: 'test' },
);

describe('the record of a training', () => {
  it('reads back as it was written, and belongs to the same training', async () => {
    await writeRecord(folder, record);
    const stored = await readRecord(folder);
    expect(stored).toEqual({
      arguments: record.arguments,
      compat: record.compat,
      data: record.data,
      frames: record.frames,
      engine: record.engine,
    });
    expect(() => refuseOther(folder, stored!, record)).not.toThrow();
  });

  it('is absent from a folder without one', async () => {
    expect(await readRecord(folder)).toBeUndefined();
  });

  it.each([
    ['null', 'the file: expected an object, found null'],
    ['{"version": 1}', 'field "arguments": expected an object, found nothing'],
    ['{"version": 1', 'the file is not valid JSON'],
    ['{}', 'field "version": expected a whole number from 0, found nothing'],
    [JSON.stringify({ ...record, version: 2 }), 'field "version" is 2: this program reads version 1 only'],
    [JSON.stringify({ ...record, frames: 7 }), 'field "frames": expected a string, found 7'],
  ])('is refused if it is %s', async (text, message) => {
    const file = path.join(folder, 'arguments.json');
    await writeFile(file, text);
    await expect(readRecord(folder)).rejects.toMatchObject({
      code: 'run-folder-foreign',
      where: file,
      message: expect.stringContaining(message),
      fix: expect.stringContaining('-log_dir_prefix'),
    });
  });
});
