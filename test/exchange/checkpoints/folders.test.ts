import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  convertFile,
  type ExportFormat,
  exportCheckpoint,
} from '../../../src/exchange/checkpoints/import-export.ts';
import type { ImportAnswers } from '../../../src/exchange/checkpoints/infer-network.ts';
import { loadCheckpoint } from '../../../src/exchange/checkpoints/loaded-checkpoint.ts';
import { type TrainedOn, trainedElsewhere } from '../../../src/exchange/checkpoints/self-description.ts';
import { readSafetensors, writeSafetensors } from '../../../src/formats/safetensors.ts';
import { exampleRunFile } from '../../results/examples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { torchFixturePath } from '../../support/torch-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const inside = (...names: string[]): string => path.join(folder, ...names);
const baseline = torchFixturePath('baseline.pt');
const stateDict = torchFixturePath('baseline-state.pt');

const importInto = (out: string, file = baseline, answers: ImportAnswers = {}, force = false) =>
  convertFile(file, { answers, out: inside(out), force });

async function exportTo(out: string, source = baseline, to: ExportFormat = 'safetensors', force = false) {
  return exportCheckpoint(await loadCheckpoint(source), { to, out: inside(out), force });
}

describe('an import', () => {
  test('is a file with the state, and with the description of its network and origin', async () => {
    const { out, checkpoint } = await importInto('a.safetensors');
    expect(await readdir(folder)).toEqual(['a.safetensors']);
    const { tensors } = readSafetensors(await readFile(out));
    expect(tensors).toEqual(checkpoint.state);
    expect(checkpoint).toMatchObject({
      trainedSteps: 6,
      format: 'zip',
      className: 'models.DVS128GestureNet',
      claims: { epoch: 2, train_times: 132, max_val_accuracy: 0.625, max_val_test_accuracy: 0.5625 },
    });
  });

  test('replaces a file only on request', async () => {
    await importInto('a.safetensors');
    await expect(importInto('a.safetensors')).rejects.toMatchObject({ code: 'output-exists' });
    await importInto('a.safetensors', stateDict, {}, true);
    expect((await loadCheckpoint(inside('a.safetensors'))).source).toBe('imported from baseline-state.pt');
  });

  test('leaves nothing behind if the file is refused', async () => {
    const refused = importInto('a.safetensors', torchFixturePath('hostile.pt'));
    await expect(refused).rejects.toMatchObject({ code: 'torch-refused' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('is loaded with everything that was found', async () => {
    await importInto('a.safetensors', stateDict, { pooling: 'average' });
    const loaded = await loadCheckpoint(inside('a.safetensors'));
    expect(loaded).toMatchObject({
      name: 'a',
      source: 'imported from baseline-state.pt',
      trainedOn: trainedElsewhere(null),
    });
    expect(loaded.network?.pooling).toBe('average');
    expect(loaded.assumptions.map(({ what }) => what)).toContain('threshold 1, as in the thesis');
  });

  test('is made from a .safetensors file of another program, and evaluated without one', async () => {
    await writeFile(inside('x.safetensors'), await readFile(torchFixturePath('baseline-mixed.safetensors')));
    const { state } = await loadCheckpoint(torchFixturePath('baseline-state.pt'));
    const options = { answers: { pooling: 'average' }, force: false } as const;
    const { out: made, checkpoint } = await convertFile(inside('x.safetensors'), options);
    expect([made, checkpoint.state]).toEqual([inside('x.imported.safetensors'), state]);
    const loaded = await loadCheckpoint(made);
    expect(loaded).toMatchObject({ name: 'x.imported', source: 'imported from x.safetensors', state });
    expect(loaded.network?.pooling).toBe('average');
    const straight = await loadCheckpoint(inside('x.safetensors'));
    expect(straight).toMatchObject({ name: 'x', source: 'x.safetensors', state });
    expect(straight.assumptions.map(({ what }) => what)).toContainEqual(
      expect.stringContaining('pooling max'),
    );
  });

  test('of an export is refused: it describes itself', async () => {
    await exportTo('b.safetensors');
    await expect(convertFile(inside('b.safetensors'), { answers: {}, force: false })).rejects.toMatchObject({
      code: 'import-needless',
      fix: 'Use it as it is: `./repro evaluate FILE`.',
    });
  });

  test('keeps its description wherever its state is moved, and passes it on when exported', async () => {
    await importInto('a.safetensors', stateDict, { pooling: 'average', reset: 'soft' });
    const { network, trainedOn, source, assumptions } = await loadCheckpoint(inside('a.safetensors'));
    const description = { network, trainedOn, source, assumptions };
    await rename(inside('a.safetensors'), inside('mine.safetensors'));
    expect(await loadCheckpoint(inside('mine.safetensors'))).toMatchObject({ name: 'mine', ...description });
    await exportTo('c.safetensors', inside('mine.safetensors'));
    expect(await loadCheckpoint(inside('c.safetensors'))).toMatchObject(description);
  });
});

describe('an export', () => {
  test('as safetensors has PyTorch’s names and describes itself', async () => {
    const checkpoint = await loadCheckpoint(baseline);
    const { file, sizeBytes, content } = await exportTo('b.safetensors');
    const bytes = await readFile(file);
    expect([bytes.length, content]).toEqual([sizeBytes, { tensors: 18 }]);
    const read = readSafetensors(bytes);
    expect(read.tensors).toEqual(checkpoint.state);
    expect(read.metadata.format).toBe('pt');
    // There is nothing beside it.
    const { network, trainedOn, source } = await loadCheckpoint(file);
    expect({ network, trainedOn, source }).toEqual({
      network: checkpoint.network,
      trainedOn: trainedElsewhere(6),
      source: 'baseline.pt',
    });
  });

  test('never overwrites unless forced', async () => {
    const out = inside('b.npz');
    await writeFile(out, 'mine');
    await expect(exportTo('b.npz', baseline, 'npz')).rejects.toMatchObject({ code: 'output-exists' });
    expect(await readFile(out, 'utf8')).toBe('mine');
    await exportTo('b.npz', baseline, 'npz', true);
    expect((await readFile(out)).subarray(0, 2).toString()).toBe('PK');
    expect(await readdir(folder)).toEqual(['b.npz']);
  });
});

describe('the folder of a training', () => {
  const frames = { ...exampleRunFile().frames, steps: 8, downsample: 8 };
  const trainedOn: TrainedOn = { dataset: 'dvs128-gesture', simulated: true, steps: 8, frames };

  async function writeTraining(names: { best: string; last: string }): Promise<void> {
    const { network, state } = await loadCheckpoint(baseline);
    const last = new Map([
      ...state,
      ['fc.6.w', { dtype: 'F32', shape: [], data: Float32Array.of(7) } as const],
    ]);
    await writeFile(inside(names.best), writeSafetensors(state));
    await writeFile(inside(names.last), writeSafetensors(last));
    const run = exampleRunFile({
      frames,
      split: { train: 2, validation: 2, test: 3 },
      network: network!,
      best: { epoch: 4, validationAccuracy: 0.5, testAccuracy: 0.5 },
    });
    await writeFile(inside('run.json'), JSON.stringify(run));
  }

  test.each([
    { best: 'best.safetensors', last: 'last.safetensors' },
    { best: 'checkpoint_max.safetensors', last: 'checkpoint.safetensors' },
  ])('has a best and a last state: $best', async (names) => {
    await writeTraining(names);
    expect(await loadCheckpoint(folder)).toMatchObject({
      name: 'no-reg-2020-best',
      source: 'no-reg, seed 2020, best epoch 5',
      trainedOn,
    });
    const last = await loadCheckpoint(folder, 'last');
    expect(last).toMatchObject({ name: 'no-reg-2020-last', source: 'no-reg, seed 2020, last epoch' });
    expect(last.state.get('fc.6.w')?.data).toEqual(Float32Array.of(7));
    expect((await loadCheckpoint(inside(names.last))).name).toBe('no-reg-2020-last');
  });

  test('is described by what is exported from it', async () => {
    await writeTraining({ best: 'best.safetensors', last: 'last.safetensors' });
    await mkdir(inside('elsewhere'));
    await exportTo('elsewhere/b.safetensors', folder);
    expect((await loadCheckpoint(inside('elsewhere/b.safetensors'))).trainedOn).toEqual(trainedOn);
  });

  test('is refused if run.json describes another network than the state', async () => {
    await writeTraining({ best: 'best.safetensors', last: 'last.safetensors' });
    const text = await readFile(inside('run.json'), 'utf8');
    for (const [channels, problem] of [
      [5, '"conv.0.weight" must be F32 [5, 2, 3, 3], got F32 [4, 2, 3, 3]'],
      [1e15, '2, 3, 3] would have 1.8e+16 values; at most'],
    ] as const) {
      await writeFile(inside('run.json'), text.replace('"channels":4', `"channels":${channels}`));
      await expect(loadCheckpoint(folder)).rejects.toMatchObject({
        code: 'network-invalid',
        where: folder,
        message: expect.stringContaining(problem),
      });
    }
    await writeFile(inside('run.json'), text.replace('"layers":2', '"layers":2000000000'));
    await expect(loadCheckpoint(folder)).rejects.toThrow('2000000000 layers halve a frame of 16 x 16');
  });

  test('may be nothing but a state: then its network is inferred', async () => {
    await writeTraining({ best: 'best.safetensors', last: 'last.safetensors' });
    await rm(inside('run.json'));
    const loaded = await loadCheckpoint(folder);
    expect(loaded).toMatchObject({
      network: { input: [2, 16, 16], pooling: 'max' },
      trainedOn: trainedElsewhere(null),
      source: 'best.safetensors',
    });
    expect(loaded.assumptions.map(({ what }) => what)).toContain('threshold 1, as in the thesis');
  });
});

describe('what is not a checkpoint', () => {
  test('is refused saying what was expected', async () => {
    await expect(loadCheckpoint(inside('none.pt'))).rejects.toMatchObject({ code: 'checkpoint-missing' });
    await expect(loadCheckpoint(folder)).rejects.toThrow('this folder has no best state');
    await writeFile(inside('a.npz'), 'PK');
    await expect(loadCheckpoint(inside('a.npz'))).rejects.toThrow(
      'expected a .pt, .safetensors or .nir file',
    );
    await expect(loadCheckpoint(baseline, 'last')).rejects.toThrow(
      '--which chooses between the states in a folder',
    );
  });
});
