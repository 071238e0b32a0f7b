import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path, { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeError, ReproError } from '../../../src/errors.ts';
import { encodeEventFileHeader, encodeScalarEvents } from '../../../src/formats/tfevents.ts';
import { readReference } from '../../../src/report/inputs/reference.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function write(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

/** @param scalars tag, step and value of each, one second apart, beginning at `startSeconds` */
function eventFile(scalars: readonly (readonly [string, number, number])[], startSeconds = 0): Buffer {
  return Buffer.concat([
    encodeEventFileHeader(startSeconds),
    encodeScalarEvents(
      scalars.map(([tag, step, value], i) => ({ tag, step, value, wallTimeSeconds: startSeconds + i })),
    ),
  ]);
}

async function failure(models: readonly string[] = ['baseline']): Promise<string> {
  const error: unknown = await readReference(folder, named(models)).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ReproError)) throw new Error(`expected a ReproError, got ${String(error)}`);
  return describeError(error).replaceAll(folder, 'LOGS').split('\n')[0] ?? '';
}

const PUBLISHED: Readonly<Record<string, string>> = {
  baseline: 'Baseline',
  'no-reg': 'No Reg.',
  'lambda-0.01': 'λ = .01',
  'lambda-0.1': 'λ = .1',
};
const named = (ids: readonly string[]) => ids.map((id) => ({ id, published: PUBLISHED[id] ?? null }));

const csv = 'tag,step,value\ntest_accuracy,0,0.5\nval_accuracy,0,0.75\nw0,28,0\n';

describe('readReference', () => {
  it('reads CSV files with columns in any order', async () => {
    await write('baseline.csv', csv);
    await write('no-reg.csv', 'step,wall_time,value,tag\n3,0,1,val_accuracy\n');
    await write('no-reg-loss.csv', 'step,loss\n0,1\n');
    const reference = await readReference(folder, named(['baseline', 'no-reg', 'lambda-0.1']));
    expect([...reference.keys()]).toEqual(['baseline', 'no-reg']);
    expect(reference.get('baseline')).toEqual({
      epochs: [1, 1],
      accuracy: {
        train: [],
        validation: [{ epoch: 1, value: 0.75 }],
        test: [{ epoch: 1, value: 0.5 }],
      },
      trainLoss: [],
      tau: [[{ epoch: 1, value: 2 }]],
      placed: true,
      truncated: [],
    });
    expect(reference.get('no-reg')?.accuracy.validation).toEqual([{ epoch: 4, value: 1 }]);
  });

  it('reads event files in the folder of a model or its subfolders, or named after it', async () => {
    await write('baseline/run/events.out.tfevents.1', eventFile([['test_accuracy', 0, 0.5]]));
    await write('baseline/notes.txt', 'not read');
    await write('baseline/run/events.out.tfevents.2.partial', 'a file that a killed process left');
    await write('lambda-0.1.events.out.tfevents.1', eventFile([['test_accuracy', 1, 0.25]]));
    await write('lambda-0.15.events.out.tfevents.1', eventFile([['test_accuracy', 2, 0.25]]));
    const reference = await readReference(folder, named(['baseline', 'lambda-0.1', 'lambda-0']));
    expect([...reference].map(([model, { epochs }]) => [model, epochs])).toEqual([
      ['baseline', [1, 1]],
      ['lambda-0.1', [2, 2]],
    ]);
  });

  it('uses the complete records of a file that was cut off, and reports that', async () => {
    const file = eventFile([
      ['test_accuracy', 0, 0.25],
      ['test_accuracy', 1, 0.5],
    ]);
    await write('baseline/a.tfevents', file.subarray(0, file.length - 1));
    const curves = (await readReference(folder, named(['baseline']))).get('baseline');
    expect(curves?.accuracy.test).toHaveLength(1);
    expect(curves?.truncated).toEqual(['baseline/a.tfevents']);
  });

  it('leaves gaps for values that are NaN or infinite, and ignores unknown tags', async () => {
    await write('baseline.csv', `${csv}test_accuracy,1,nan\nval_accuracy,1,-inf\nlr,3,7\n`);
    const curves = (await readReference(folder, named(['baseline']))).get('baseline');
    expect(curves?.epochs).toEqual([1, 1]);
  });

  it.each([
    ['tag,step\n', 'column "value" is missing'],
    [`${csv}w0,1.5,0\n`, 'line 5, column "step": expected a whole number, found "1.5"'],
    [`${csv}w0,56,\n`, 'line 5, column "value": expected a number, found ""'],
    [`${csv}w0,56,much\n`, 'line 5, column "value": expected a number, found "much"'],
    [`${csv}test_accuracy,1,95.5\n`, 'test_accuracy at step 1: expected an accuracy from 0 to 1, found 95.5'],
    ['tag,step,value\nw0,28,0\n', 'This log has no value of test_accuracy or val_accuracy.'],
    ['tag,step,value\ntest_accuracy,0,nan\n', 'This log has no value of test_accuracy or val_accuracy.'],
    [
      `tag,step,value\n"test ""quoted"" tag",0,1\n"test_accuracy,0,0.5\n""val_accuracy,0,0.75\n`,
      'a quote that begins a cell is never closed',
    ],
  ])('rejects a CSV file: %j', async (text, message) => {
    await write('baseline.csv', text);
    expect(await failure()).toBe(`LOGS/baseline.csv  ${message}`);
  });

  it('rejects a folder that is missing, that lacks a log in a model’s folder, or that has two logs for a model', async () => {
    await write('baseline/notes.txt', '');
    expect(await failure()).toBe('LOGS/baseline  This folder contains no event file of TensorBoard.');
    await write('baseline/a.tfevents', eventFile([['test_accuracy', 0, 1]]));
    await write('baseline.csv', csv);
    expect(await failure()).toBe(
      'LOGS  There are two logs for "baseline": baseline.csv and baseline/a.tfevents.',
    );
    await rm(folder, { recursive: true });
    expect(await failure()).toBe('LOGS  The folder of the authors’ logs does not exist.');
  });
});

describe('readReference of the folder in the thesis’ repository', () => {
  const folderOf = (name: string, std: string) =>
    `pt_${name}_val_0.15_DVS128Gesture_init_tau_2.0_tau_std_dev_${std}`;
  const FOLDERS = {
    baseline: folderOf('BASELINE', '0.0'),
    'no-reg': folderOf('NO_REG', '0.1'),
    'lambda-0.01': folderOf('REGULARIZATION_.01', '0.1'),
    'lambda-0.1': folderOf('REGULARIZATION_.1', '0.1'),
  } as const;
  type Id = keyof typeof FOLDERS;
  const ids = Object.keys(FOLDERS) as readonly Id[];
  const checkpoint = path.resolve(import.meta.dirname, '../../fixtures/torch/baseline.pt');

  /** Two epochs from `first` on (from 0), in batches of `perEpoch` after `before` other ones, and a loss of every second batch from the start. */
  async function writeLogs(
    id: Id,
    first: number,
    { perEpoch = 4, before = 0, prefix = '' } = {},
  ): Promise<void> {
    const name = FOLDERS[id].replace(/^pt_|_val_.*/g, '');
    const end = (epoch: number) => before + (epoch + 1) * perEpoch;
    const logged = [first, first + 1].flatMap((epoch) => [
      ['test_accuracy', epoch, 0.5] as const,
      ['val_accuracy', epoch, 0.75] as const,
      ['w0', end(epoch), 0] as const,
    ]);
    await write(`${prefix}${FOLDERS[id]}/logs/events.out.tfevents.1.host.2.0`, eventFile(logged, 100));
    const losses = Array.from(
      { length: end(first + 1) / 2 },
      (_, i) => `${10 + i}.5,${2 * i},${1 / (i + 1)}`,
    );
    await write(
      `${prefix}${FOLDERS[id]}/logs/${name}_loss_data.csv`,
      `Wall time,Step,Value\n${losses.join('\n')}\n`,
    );
  }

  it('finds each model by its name there, at any depth, with the losses of earlier epochs', async () => {
    for (const [i, id] of ids.entries()) await writeLogs(id, i + 1, { prefix: 'clone/checkpoints/' });
    await write('clone/README.md', 'not read');
    const reference = await readReference(folder, named([...ids, 'mine']));
    expect([...reference].map(([id, { epochs }]) => [id, epochs])).toEqual([
      ['baseline', [2, 3]],
      ['no-reg', [3, 4]],
      ['lambda-0.01', [4, 5]],
      ['lambda-0.1', [5, 6]],
    ]);
    // Batches 0, 2, … of four an epoch.
    expect(reference.get('no-reg')?.trainLoss.map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect(reference.get('no-reg')?.trainLoss[3]).toEqual({ epoch: 2, value: 1 / 4 });
  });

  it('draws no losses whose epochs the logs do not show: earlier ones had other numbers of batches', async () => {
    await writeLogs('baseline', 3, { before: 2 });
    const curves = (await readReference(folder, named(['baseline']))).get('baseline');
    expect(curves?.epochs).toEqual([4, 5]);
    expect(curves?.trainLoss.map(({ epoch }) => epoch)).toEqual([4, 4, 5, 5]);
  });

  it('takes the curves of all epochs from checkpoint.pt, if it is there', async () => {
    await writeLogs('baseline', 2);
    await cp(checkpoint, join(folder, FOLDERS.baseline, 'checkpoint.pt'));
    const curves = (await readReference(folder, named(['baseline']))).get('baseline');
    // test/fixtures/torch/make_files.py, log_of(3): of 66 batches an epoch, the 256th and 512th are in the fourth and eighth.
    expect(curves).toEqual({
      epochs: [1, 3],
      accuracy: {
        train: [1, 4, 8].map((epoch, i) => ({ epoch, value: 0.25 + 0.125 * i })),
        validation: [1, 2, 3].map((epoch) => ({ epoch, value: 0.625 })),
        test: [1, 2, 3].map((epoch) => ({ epoch, value: 0.5 + 0.0625 * (epoch - 1) })),
      },
      trainLoss: [1, 4, 8].map((epoch, i) => ({ epoch, value: 0.5 / (i + 1) })),
      tau: [[1, 2, 3].map((epoch) => ({ epoch, value: 1 + Math.exp(-0.1 * (epoch - 1)) }))],
      placed: true,
      truncated: [],
    });
  });

  it('says what to do if checkpoint.pt cannot be read or has no curves', async () => {
    await writeLogs('baseline', 2);
    const file = `${FOLDERS.baseline}/checkpoint.pt`;
    await write(file, 'version https://git-lfs.github.com/spec/v1\n');
    expect(await failure()).toMatch(
      /^LOGS\/pt_BASELINE\S+checkpoint\.pt {2}This checkpoint’s curves cannot be read: it is a Git LFS pointer/,
    );
    await cp(checkpoint.replace('baseline', 'baseline-state'), join(folder, file));
    expect(await failure()).toMatch(/checkpoint\.pt {2}This checkpoint has no curves \(log_data_list\)\.$/);
  });
});
