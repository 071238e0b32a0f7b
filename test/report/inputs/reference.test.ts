import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path, { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeError, ReproError } from '../../../src/base/errors.ts';
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

describe('readReference', () => {
  it('reads event files in the folder of a model or its subfolders', async () => {
    const points = [
      ['test_accuracy', 0, 0.5],
      ['val_accuracy', 0, 0.75],
      ['w0', 28, 0],
    ] as const;
    await write('baseline/run/events.out.tfevents.1', eventFile(points));
    await write('baseline/notes.txt', 'not read');
    await write('baseline/run/events.out.tfevents.2.partial', 'a file that a killed process left');
    await write('lambda-0.1/a.tfevents', eventFile([['val_accuracy', 3, 1]]));
    await write('lambda-0.15/a.tfevents', eventFile([['test_accuracy', 2, 0.25]]));
    const reference = await readReference(folder, named(['baseline', 'lambda-0.1', 'no-reg']));
    expect([...reference.keys()]).toEqual(['baseline', 'lambda-0.1']);
    expect(reference.get('baseline')).toEqual({
      epochs: [1, 1],
      accuracy: {
        validation: [{ epoch: 1, value: 0.75 }],
        test: [{ epoch: 1, value: 0.5 }],
      },
      tau: [[{ epoch: 1, value: 2 }]],
    });
    expect(reference.get('lambda-0.1')?.accuracy.validation).toEqual([{ epoch: 4, value: 1 }]);
  });

  it('reads a table with columns in any order, and says in which line it is wrong', async () => {
    await write('baseline.csv', 'step,wall_time,value,tag\n3,0,1,val_accuracy\n');
    await write('baseline-loss.csv', 'step,loss\n0,1\n');
    const reference = await readReference(folder, named(['baseline']));
    expect(reference.get('baseline')?.accuracy.validation).toEqual([{ epoch: 4, value: 1 }]);
    await write('baseline.csv', 'tag,step,value\ntest_accuracy,1.5,0\n');
    expect(await failure()).toBe(
      'LOGS/baseline.csv  line 2, column "step": expected a whole number, found "1.5"',
    );
  });

  it('refuses an event file that was cut off', async () => {
    const file = eventFile([
      ['test_accuracy', 0, 0.25],
      ['test_accuracy', 1, 0.5],
    ]);
    await write('baseline/a.tfevents', file.subarray(0, file.length - 1));
    const start = eventFile([['test_accuracy', 0, 0.25]]).length;
    expect(await failure()).toBe(
      `LOGS/baseline/a.tfevents  This event file is cut off in the record at byte ${start}.`,
    );
  });

  it('leaves gaps for values that are NaN or infinite, and ignores unknown tags', async () => {
    const points = [
      ['test_accuracy', 0, 0.5],
      ['test_accuracy', 1, Number.NaN],
      ['w0', 28, Number.NEGATIVE_INFINITY],
      ['lr', 3, 7],
    ] as const;
    await write('baseline/a.tfevents', eventFile(points));
    const curves = (await readReference(folder, named(['baseline']))).get('baseline');
    expect([curves?.epochs, curves?.tau]).toEqual([[1, 1], [[]]]);
  });

  it.each([
    [['test_accuracy', 1, 95.5], 'test_accuracy at step 1: expected an accuracy from 0 to 1, found 95.5'],
    [['w0', 28, 0], 'This log has no value of test_accuracy or val_accuracy.'],
    [['test_accuracy', 0, Number.NaN], 'This log has no value of test_accuracy or val_accuracy.'],
  ] as const)('rejects a log with %j alone', async (point, message) => {
    await write('baseline/a.tfevents', eventFile([point]));
    expect(await failure()).toBe(`LOGS/baseline/a.tfevents  ${message}`);
  });

  it('rejects a folder that is missing, or that lacks a log in a model’s folder', async () => {
    await write('baseline/notes.txt', '');
    expect(await failure()).toBe('LOGS/baseline  This folder contains no event file of TensorBoard.');
    await rm(folder, { recursive: true });
    expect(await failure()).toBe('LOGS  The folder of the authors’ logs does not exist.');
  });
});

describe('the epochs of a log', () => {
  /** Where curves with these steps are; every value is 0.5. */
  async function place(steps: Readonly<Record<string, readonly number[]>>) {
    const points = Object.entries(steps).flatMap(([tag, list]) =>
      list.map((step) => [tag, step, 0.5] as const),
    );
    await write('baseline/a.tfevents', eventFile(points));
    const { epochs, accuracy, tau } = (await readReference(folder, named(['baseline']))).get('baseline')!;
    return { epochs, test: accuracy.test.map(({ epoch }) => epoch), tau: tau[0]?.map(({ epoch }) => epoch) };
  }

  it('count from 1; that of w needs no constant number of batches', async () => {
    const found = await place({ test_accuracy: [434, 435], w0: [32502, 32530] });
    expect(found).toEqual({ epochs: [435, 436], test: [435, 436], tau: [435, 436] });
  });

  it('are found for a training from its start even if the last one has no accuracy yet', async () => {
    expect((await place({ test_accuracy: [0, 1], w0: [28, 56, 84] })).tau).toEqual([1, 2, 3]);
  });

  it.each([[[]], [[100, 128]]])('of w are unknown with steps %j', async (w0) => {
    const found = await place({ test_accuracy: [4, 5, 6], w0 });
    expect(found.test).toEqual([5, 6, 7]);
    expect(found.tau ?? []).toEqual([]);
  });

  it('have the τ of each layer, whatever the order of the records', async () => {
    const points = [
      ['val_accuracy', 0, 1],
      ['w1', 9, 0],
      ['w0', 9, -Math.log(2)],
    ] as const;
    await write('baseline/a.tfevents', eventFile(points));
    const curves = (await readReference(folder, named(['baseline']))).get('baseline');
    expect(curves?.tau.map(([point]) => point?.value)).toEqual([expect.closeTo(3, 6), 2]);
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

  /** Two epochs from `first` on (from 0). */
  async function writeLogs(id: Id, first: number, prefix = ''): Promise<void> {
    const logged = [first, first + 1].flatMap((epoch) => [
      ['test_accuracy', epoch, 0.5] as const,
      ['val_accuracy', epoch, 0.75] as const,
      ['w0', 4 * (epoch + 1), 0] as const,
    ]);
    await write(`${prefix}${FOLDERS[id]}/logs/events.out.tfevents.1.host.2.0`, eventFile(logged, 100));
    await write(`${prefix}${FOLDERS[id]}/logs/losses.csv`, 'not read');
  }

  it('finds each model by its name there, at any depth', async () => {
    for (const [i, id] of ids.entries()) await writeLogs(id, i + 1, 'clone/checkpoints/');
    await write('clone/README.md', 'not read');
    const reference = await readReference(folder, named([...ids, 'mine']));
    expect([...reference].map(([id, { epochs }]) => [id, epochs])).toEqual([
      ['baseline', [2, 3]],
      ['no-reg', [3, 4]],
      ['lambda-0.01', [4, 5]],
      ['lambda-0.1', [5, 6]],
    ]);
  });

  it('rejects two logs for a model', async () => {
    await writeLogs('baseline', 2);
    await write('baseline/a.tfevents', eventFile([['test_accuracy', 0, 1]]));
    expect(await failure()).toMatch(
      /^LOGS {2}There are two logs for "baseline": baseline\/a\.tfevents and pt_BASELINE_val/,
    );
  });

  it('takes the curves of all epochs from checkpoint.pt, if it is there', async () => {
    await writeLogs('baseline', 2);
    await cp(checkpoint, join(folder, FOLDERS.baseline, 'checkpoint.pt'));
    const curves = (await readReference(folder, named(['baseline']))).get('baseline');
    // test/fixtures/torch/make_files.py, log_of(3).
    expect(curves).toEqual({
      epochs: [1, 3],
      accuracy: {
        validation: [1, 2, 3].map((epoch) => ({ epoch, value: 0.625 })),
        test: [1, 2, 3].map((epoch) => ({ epoch, value: 0.5 + 0.0625 * (epoch - 1) })),
      },
      tau: [[1, 2, 3].map((epoch) => ({ epoch, value: 1 + Math.exp(-0.1 * (epoch - 1)) }))],
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
