import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { prepareTraining } from '../../../src/exchange/original/preparation.ts';
import {
  describeRecord,
  refuseForeign,
  refuseOther,
  writeRecord,
} from '../../../src/exchange/original/run-record.ts';
import { GESTURES } from '../../support/datasets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { shortestCommand } from './documented-commands.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const record = describeRecord(
  prepareTraining(shortestCommand, 'intent', '.', GESTURES),
  { dataset: { name: 'dvs128-gesture', simulated: false }, frames: { steps: 4 } },
  'a-digest',
  { name: 'tfjs', backend: 'cpu', version: '4.22.0', reason: 'test' },
);

describe('the record of a training', () => {
  it('belongs to the same training, also before its frames are known', async () => {
    await writeRecord(folder, record);
    expect(await refuseOther(folder, record)).toBe(true);
    expect(await refuseOther(folder, { arguments: record.arguments })).toBe(true);
  });

  it('is absent from a folder without one', async () => {
    expect(await refuseOther(folder, record)).toBe(false);
  });

  it.each([
    ['{"version": 1', 'run-folder-foreign', 'the file is not valid JSON'],
    ['null', 'run-folder-foreign', 'expected an object, found null'],
    ['{"version": 1}', 'run-folder-taken', '-T: nothing there, 4 now'],
    [JSON.stringify({ ...record, version: 2 }), 'run-folder-taken', 'version: 2 there, 1 now'],
    [JSON.stringify({ ...record, frames: 7 }), 'run-folder-taken', 'the frames: made from other recordings'],
  ])('is refused if it is %s', async (text, code, message) => {
    await writeFile(path.join(folder, 'arguments.json'), text);
    await expect(refuseOther(folder, record)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      fix: expect.stringContaining('-log_dir_prefix'),
    });
  });
});

describe('folders without a record', () => {
  const folders = () => ({ checkpointFolder: folder, logFolder: path.join(folder, 'lock') });
  const put = async (...names: string[]) => {
    await mkdir(path.join(folder, 'lock'), { recursive: true });
    for (const name of names) await writeFile(path.join(folder, name), '');
  };

  it('may be missing, hold the lock, or a part of a record that a killed process left', async () => {
    await refuseForeign(
      { checkpointFolder: path.join(folder, 'a'), logFolder: path.join(folder, 'b') },
      'lock',
    );
    await put('arguments.json.partial');
    await refuseForeign(folders(), 'lock');
  });

  it.each(['checkpoint.pt', 'lock/events.out.tfevents.1717171717.host'])(
    'are left alone if they hold %s of the original',
    async (name) => {
      await put(name);
      await expect(refuseForeign(folders(), 'lock')).rejects.toMatchObject({
        code: 'run-folder-foreign',
        message: expect.stringContaining(`This folder holds "${path.basename(name)}"`),
      });
    },
  );
});
