import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoints/loaded-checkpoint.ts';
import { createCpuEngine } from '../../src/engines/tfjs/engine.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { decodeEventFile } from '../../src/formats/tfevents.ts';
import { type Preparation, prepareTraining } from '../../src/original/preparation.ts';
import { describeOutcome, findFinishedRun, summariseRun } from '../../src/original/run-folder.ts';
import { describeRecord } from '../../src/original/run-record.ts';
import { type OriginalTraining, trainOriginal } from '../../src/original/train.ts';
import { tinyArguments, writeTinyFrames } from './tiny-frames.ts';

let root: string;
let framesFolder: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'original-train-'));
  framesFolder = path.join(root, 'frames');
  await writeTinyFrames(framesFolder);
});
afterEach(() => rm(root, { recursive: true }));

const engine = createCpuEngine('test');
const data = { dataset: { name: 'dvs128-gesture', simulated: true }, frames: {} };

function prepare(prefix: string, epochs = 4): Preparation {
  const words = [...tinyArguments, '-log_dir_prefix', prefix, '-max_epoch', String(epochs)];
  return prepareTraining(words, 'intent', root);
}

interface Heard {
  readonly notes: string[];
  readonly warnings: string[];
}

/** Starts a training; its clock advances by a second each time it is read. */
function trainInto(
  preparation: Preparation,
  over: Partial<OriginalTraining> = {},
): { readonly heard: Heard; readonly ended: ReturnType<typeof trainOriginal> } {
  const heard: Heard = { notes: [], warnings: [] };
  let seconds = 1_700_000_000;
  const ended = trainOriginal({
    preparation,
    record: describeRecord(preparation, data, 'a-digest', engine.description),
    engine,
    framesFolder,
    signal: new AbortController().signal,
    progress: () => {},
    note: (text) => heard.notes.push(text),
    warn: (text) => heard.warnings.push(text),
    assertHeld: () => {},
    nowSeconds: () => seconds++,
    ...over,
  });
  return { heard, ended };
}

/** Trains until the given number of progress reports, then aborts. */
async function trainAndAbort(preparation: Preparation, reports: number): Promise<void> {
  const controller = new AbortController();
  let left = reports;
  const progress = (): void => {
    left -= 1;
    if (left === 0) controller.abort();
  };
  const { ended } = trainInto(preparation, { progress, signal: controller.signal });
  await expect(ended).rejects.toMatchObject({ code: 'training-interrupted' });
}

const stateFiles = [
  'checkpoint.safetensors',
  'checkpoint_max.safetensors',
  'metrics.csv',
  'run.json',
  'split.json',
];

/** The outputs of a training, without times. */
async function outputsOf({ checkpointFolder, logFolder }: Preparation): Promise<Record<string, unknown>> {
  const files = await Promise.all(
    stateFiles.map(async (name) => [name, await readFile(path.join(checkpointFolder, name), 'hex')] as const),
  );
  return {
    ...Object.fromEntries(files),
    events: (await readEvents(logFolder)).map(({ wallTimeSeconds: _, ...rest }) => rest),
  };
}

async function readEvents(logFolder: string) {
  const [name, ...others] = (await readdir(logFolder)).filter((one) => one.includes('tfevents'));
  expect(others).toEqual([]);
  const { scalars, truncatedAt } = decodeEventFile(await readFile(path.join(logFolder, name!)), name!);
  expect(truncatedAt).toBeNull();
  return scalars;
}

describe('a training from the original’s arguments', () => {
  it('writes the original’s folders, with our own files in them', async () => {
    const preparation = prepare('logs');
    const { heard, ended } = trainInto(preparation);
    const run = await ended;
    const name =
      'val_0.15_DVS128Gesture_init_tau_2.0_tau_std_dev_0.1_use_plif_True_use_max_pool_True_T_3_c_2_n_2_split_by_number_normalization_None_detach_reset_True_tau_per_neuron_True_lambda_reg_0.1';
    expect((await readdir(path.join(root, 'logs'))).sort()).toEqual([`pt_${name}`, name]);
    expect((await readdir(preparation.checkpointFolder)).sort()).toEqual(
      ['arguments.json', ...stateFiles, 'resume'].sort(),
    );
    expect(JSON.parse(await readFile(path.join(preparation.checkpointFolder, 'run.json'), 'utf8'))).toEqual(
      run,
    );
    expect(run).toMatchObject({
      simulated: true,
      epochsDone: 4,
      training: { epochs: 4, batchSize: 4, learningRate: 0.01, cosineHalfPeriod: 64, regulariseTau: 0.1 },
      split: { train: 21, validation: 3, test: 9 },
    });
    // Used by `repro evaluate --split validation`.
    const { validation } = await loadCheckpoint(preparation.checkpointFolder);
    expect(validation?.rows.map((row) => row % 3)).toEqual([0, 1, 2]);
    expect(heard.notes).toHaveLength(4);
    expect(heard.notes[3]).toMatch(
      /^epoch 4\/4 · train loss .* · best test \d+\.\d % \(epoch \d\) · kept: epoch \d · learning rate 0\.00995 · /,
    );
    const { tensors, metadata } = readSafetensors(
      await readFile(path.join(preparation.checkpointFolder, 'checkpoint_max.safetensors')),
    );
    expect(tensors.get('conv.2.w')?.shape).toEqual([1, 2, 8, 8]);
    expect(metadata).toEqual({ data: 'simulated' });
    expect(await readFile(path.join(preparation.logFolder, 'SIMULATED.txt'), 'utf8')).toContain(
      'simulated recordings',
    );
  });

  it('holds no clips back with -val_ratio 0, and keeps the last epoch, also when it goes on', async () => {
    const words = [...tinyArguments, '-log_dir_prefix', 'all', '-max_epoch', '2', '-val_ratio', '0'];
    const preparation = prepareTraining(words, 'runs', root);
    expect(preparation.notes.join()).toContain('-val_ratio 0');
    const { heard, ended } = trainInto(preparation);
    const run = await ended;
    expect(heard.warnings.join()).not.toContain('shuffled-drop-last');
    expect(run).toMatchObject({
      split: { train: 24, validation: 0 },
      compat: { selection: 'last', validation: 'all' },
      best: { epoch: 1, validationAccuracy: null },
    });
    expect(describeOutcome(summariseRun(run), preparation, root).join('\n')).toMatch(
      /^kept: epoch 2, no validation, test \d+\.\d %$/m,
    );
    expect((await findFinishedRun(preparation))?.summary.best.validationAccuracy).toBeNull();
    const tags = (await readEvents(preparation.logFolder)).map(({ tag }) => tag);
    expect(tags).toContain('test_accuracy');
    expect(tags).not.toContain('val_accuracy');
    const longer = prepareTraining(
      words.map((word, i) => (words[i - 1] === '-max_epoch' ? '3' : word)),
      'runs',
      root,
    );
    expect((await trainInto(longer).ended).best.epoch).toBe(2);
    // The first two epochs keep their times.
    const times = (await readEvents(preparation.logFolder)).filter(({ tag }) => tag === 'test_accuracy');
    expect(new Set(times.map(({ wallTimeSeconds }) => wallTimeSeconds)).size).toBeGreaterThan(1);
  });

  it('writes its curves under the original’s tags, each epoch with its time', async () => {
    const preparation = prepare('logs', 2);
    await trainInto(preparation).ended;
    const events = await readEvents(preparation.logFolder);
    const pairs = Array.from({ length: 4 }, (_, i) => [`w${i}`, `w_std${i}`]).flat();
    expect(events.map(({ tag, step }) => `${tag} ${step}`)).toEqual([
      ...[
        'train_accuracy 0',
        'train_loss 0',
        'test_accuracy 0',
        'val_accuracy 0',
        ...pairs.map((tag) => `${tag} 5`),
      ],
      ...['test_accuracy 1', 'val_accuracy 1', ...pairs.map((tag) => `${tag} 10`)],
    ]);
    expect([...new Set(events.map(({ wallTimeSeconds }) => wallTimeSeconds))]).toEqual([
      1_700_000_000, 1_700_000_001,
    ]);
  });

  // Each epoch reports 5 training batches, 3 test batches, 1 validation batch, and its end.
  it.each([1, 4, 12, 17, 23, 30])(
    'ends with the same bytes if it is aborted at report %i and called again',
    async (reports) => {
      const [whole, parts] = [prepare('whole'), prepare('parts')];
      await trainInto(whole).ended;
      await trainAndAbort(parts, reports);
      const { ended, heard } = trainInto(parts);
      await ended;
      const expected = await outputsOf(whole);
      expect(await outputsOf(parts)).toEqual(expected);
      expect(heard.notes[0]).toMatch(/^Resuming/);
    },
  );

  it('keeps the times of earlier epochs when it resumes', async () => {
    const preparation = prepare('logs');
    await trainAndAbort(preparation, 17);
    await trainInto(preparation, { nowSeconds: () => 1_800_000_000 }).ended;
    const times = (await readEvents(preparation.logFolder))
      .filter(({ tag }) => tag === 'val_accuracy')
      .map(({ wallTimeSeconds }) => wallTimeSeconds);
    expect(times).toEqual([1_700_000_000, 1_800_000_000, 1_800_000_000, 1_800_000_000]);
  });

  it('rewrites its curves if a crash has cut them off or left too many points', async () => {
    const [whole, broken] = [prepare('whole'), prepare('broken')];
    await trainInto(whole).ended;
    await trainAndAbort(broken, 25);
    const [name] = (await readdir(broken.logFolder)).filter((one) => one.includes('tfevents'));
    const file = path.join(broken.logFolder, name!);
    const bytes = await readFile(file);
    await writeFile(file, Buffer.concat([bytes, bytes.subarray(-100, -10)]));
    const { ended, heard } = trainInto(broken);
    await ended;
    expect(await outputsOf(broken)).toEqual(await outputsOf(whole));
    expect(heard.warnings).toEqual([
      expect.stringMatching(
        /are damaged: .*\n {2}The file is rewritten from the checkpoint; the times of earlier/,
      ),
    ]);
  });

  it('writes the files that are missing after a kill between checkpoint and files', async () => {
    const [whole, killed] = [prepare('whole', 3), prepare('killed', 3)];
    await trainInto(whole).ended;
    const { ended } = trainInto(killed, {
      note: (text) => {
        if (text.startsWith('epoch 3/3')) throw new Error('killed');
      },
    });
    await expect(ended).rejects.toThrow('killed');
    for (const name of stateFiles) await rm(path.join(killed.checkpointFolder, name));
    await trainInto(killed).ended;
    expect(await outputsOf(killed)).toEqual(await outputsOf(whole));
  });

  it('leaves no partial event file for TensorBoard to load', async () => {
    const preparation = prepare('logs', 2);
    await mkdir(preparation.logFolder, { recursive: true });
    // From versions that wrote to this name, and from a process that was killed before renaming the file.
    const stale = ['events.out.tfevents.1600000000.repro.partial', 'curves.partial'];
    for (const name of stale) await writeFile(path.join(preparation.logFolder, name), 'cut off');
    await trainInto(preparation).ended;
    expect((await readdir(preparation.logFolder)).sort()).toEqual([
      'SIMULATED.txt',
      'events.out.tfevents.1700000000.repro',
    ]);
  });

  it('writes its curves under a name that TensorBoard ignores until they are complete', async () => {
    const preparation = prepare('logs', 1);
    // A folder in place of the partial file makes writing fail, like a kill at that point.
    await mkdir(path.join(preparation.logFolder, 'curves.partial'), { recursive: true });
    await expect(trainInto(preparation).ended).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await readdir(preparation.logFolder)).toEqual(['curves.partial']);
  });

  it('continues with more epochs as if they had been requested at once', async () => {
    const [whole, parts] = [prepare('whole', 4), prepare('parts', 2)];
    await trainInto(whole).ended;
    await trainInto(parts).ended;
    await trainInto(prepare('parts', 4)).ended;
    expect(await outputsOf(parts)).toEqual(await outputsOf(whole));
  });

  it('does not start over if its checkpoints are unusable', async () => {
    const preparation = prepare('logs');
    await trainAndAbort(preparation, 17);
    const resume = path.join(preparation.checkpointFolder, 'resume');
    for (const name of await readdir(resume)) await truncate(path.join(resume, name), 10);
    const { ended, heard } = trainInto(preparation);
    await expect(ended).rejects.toMatchObject({ code: 'run-folder-broken' });
    expect(heard.warnings).toHaveLength(2);
  });

  it('saves nothing to a folder that another training has taken over', async () => {
    const preparation = prepare('logs');
    const { ended } = trainInto(preparation, {
      assertHeld: () => {
        throw new Error('taken');
      },
    });
    await expect(ended).rejects.toThrow('taken');
    expect(await readdir(root)).toEqual(['frames']);
  });

  it('rejects frames that do not match its arguments', async () => {
    const words = tinyArguments.map((word, i, all) => (all[i - 1] === '-T' ? '5' : word));
    const other = prepareTraining([...words, '-log_dir_prefix', 'logs', '-max_epoch', '1'], 'intent', root);
    await expect(trainInto(other).ended).rejects.toMatchObject({ code: 'frames-invalid' });
  });

  it('says that the frames are too small for the layers', async () => {
    const words = tinyArguments.map((word, i, all) => (all[i - 1] === '-number_layer' ? '6' : word));
    const deep = prepareTraining([...words, '-log_dir_prefix', 'logs', '-max_epoch', '1'], 'intent', root);
    await expect(trainInto(deep).ended).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringMatching(/^network: 6 layers halve a frame of \d+ x \d+ to nothing/),
      fix: expect.stringContaining('make other frames'),
    });
  });

  it('says which setting asks for weights that cannot be addressed', async () => {
    const words = tinyArguments.map((word, i, all) => (all[i - 1] === '-channels' ? '100000' : word));
    const large = prepareTraining([...words, '-log_dir_prefix', 'logs', '-max_epoch', '1'], 'intent', root);
    await expect(trainInto(large).ended).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringContaining('at most 2,147,483,647 fit'),
      fix: 'Use fewer `train.network.channels`.',
    });
  });
});

describe('a finished training', () => {
  it('is found, with its summary', async () => {
    const preparation = prepare('logs', 2);
    const run = await trainInto(preparation).ended;
    const finished = await findFinishedRun(preparation);
    expect(finished?.summary).toMatchObject({ epochsDone: 2, seed: 2020, simulated: true, best: run.best });
    expect(JSON.parse(finished?.document ?? '')).toEqual(run);
    expect(await findFinishedRun(prepare('logs', 3))).toBeUndefined();
  });

  it.each(['run.json', 'checkpoint_max.safetensors', 'split.json'])(
    'does not count as finished without its %s',
    async (name) => {
      const preparation = prepare('logs', 1);
      await trainInto(preparation).ended;
      await rm(path.join(preparation.checkpointFolder, name));
      expect(await findFinishedRun(preparation)).toBeUndefined();
    },
  );

  it.each(['null', '{"epochsDone": 2}', '{"version": 1', '[]'])(
    'does not count as finished if run.json is %s',
    async (text) => {
      const preparation = prepare('logs', 1);
      await trainInto(preparation).ended;
      await writeFile(path.join(preparation.checkpointFolder, 'run.json'), text);
      expect(await findFinishedRun(preparation)).toBeUndefined();
    },
  );

  it('does not count as finished if run.json has another version', async () => {
    const preparation = prepare('logs', 1);
    const run = await trainInto(preparation).ended;
    await writeFile(
      path.join(preparation.checkpointFolder, 'run.json'),
      JSON.stringify({ ...run, version: 2 }),
    );
    expect(await findFinishedRun(preparation)).toBeUndefined();
  });

  it.each(['tfevents', 'SIMULATED'])(
    'does not count as finished without its %s file, and restores it',
    async (part) => {
      const preparation = prepare('logs', 2);
      await trainInto(preparation).ended;
      const before = await outputsOf(preparation);
      const name = (await readdir(preparation.logFolder)).find((one) => one.includes(part))!;
      await rm(path.join(preparation.logFolder, name));
      expect(await findFinishedRun(preparation)).toBeUndefined();
      await trainInto(preparation).ended;
      expect(await outputsOf(preparation)).toEqual(before);
      expect(await findFinishedRun(preparation)).toBeDefined();
    },
  );
});
