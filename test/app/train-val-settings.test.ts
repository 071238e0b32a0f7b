import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { trainIntoFolders } from '../../src/app/original/train-val.ts';
import { loadCheckpoint } from '../../src/exchange/checkpoints/loaded-checkpoint.ts';
import { describeTrainingResult } from '../../src/exchange/original/export.ts';
import { type Preparation, prepareTraining } from '../../src/exchange/original/preparation.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { decodeEventFile } from '../../src/formats/tfevents.ts';
import { tinyArguments, writeTinyFrames } from '../exchange/original/tiny-frames.ts';
import { builds, nativeEngine } from '../native/support.ts';
import { GESTURES } from '../support/datasets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let root: string;
let framesFolder: string;
let seconds: number;
beforeEach(async () => {
  root = await temporaryFolder();
  framesFolder = path.join(root, 'frames');
  await writeTinyFrames(framesFolder);
  seconds = 1_700_000_000;
  // A clock that advances by a second each time an epoch is exported.
  vi.spyOn(Date, 'now').mockImplementation(() => 1000 * seconds++);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const engine = nativeEngine(builds.at(-1));

function prepare(prefix: string, epochs = 4, ...more: readonly string[]): Preparation {
  const words = [...tinyArguments, '-log_dir_prefix', prefix, '-max_epoch', String(epochs), ...more];
  return prepareTraining(words, 'intent', root, GESTURES);
}

interface Over {
  readonly framesDigest?: string;
  readonly stop?: AbortSignal;
  readonly progress?: () => void;
}

function train(
  preparation: Preparation,
  { framesDigest = 'a-digest', stop, progress = () => {} }: Over = {},
) {
  const notes: string[] = [];
  const warnings: string[] = [];
  const ended = trainIntoFolders(preparation, {
    framesFolder,
    engine,
    framesDigest,
    view: { progress, note: (text) => notes.push(text), warn: (text) => warnings.push(text) },
    stop: stop ?? new AbortController().signal,
  });
  return { notes, warnings, ended };
}

/** Trains until the given number of progress reports, then aborts. */
async function trainAndAbort(preparation: Preparation, reports: number): Promise<void> {
  const controller = new AbortController();
  let left = reports;
  const progress = (): void => {
    left -= 1;
    if (left === 0) controller.abort();
  };
  const { ended } = train(preparation, { progress, stop: controller.signal });
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
    simulated: await readFile(path.join(logFolder, 'SIMULATED.txt'), 'utf8'),
  };
}

async function readEvents(logFolder: string) {
  const [name, ...others] = (await readdir(logFolder)).filter((one) => one.includes('tfevents'));
  expect(others).toEqual([]);
  const { scalars, truncatedAt } = decodeEventFile(await readFile(path.join(logFolder, name!)), name!);
  expect(truncatedAt).toBeNull();
  return scalars;
}

const timesOf = async ({ logFolder }: Preparation): Promise<number[]> =>
  (await readEvents(logFolder))
    .filter(({ tag }) => tag === 'test_accuracy')
    .map(({ wallTimeSeconds }) => wallTimeSeconds - 1_700_000_000);

describe('a training from the original’s arguments', () => {
  it('writes the original’s folders, with our own files in them', async () => {
    const preparation = prepare('logs');
    const { checkpointFolder, logFolder } = preparation;
    const { notes, ended } = train(preparation);
    const run = await ended;
    const name =
      'val_0.15_DVS128Gesture_init_tau_2.0_tau_std_dev_0.1_use_plif_True_use_max_pool_True_T_3_c_2_n_2_split_by_number_normalization_None_detach_reset_True_tau_per_neuron_True_lambda_reg_0.1';
    expect((await readdir(path.join(root, 'logs'))).sort()).toEqual([`pt_${name}`, name]);
    expect((await readdir(checkpointFolder)).sort()).toEqual([...stateFiles, 'resume'].sort());
    expect(JSON.parse(await readFile(path.join(checkpointFolder, 'run.json'), 'utf8'))).toEqual(run);
    expect(run).toMatchObject({
      model: { id: name },
      simulated: true,
      epochsDone: 4,
      training: { epochs: 4, batchSize: 4, learningRate: 0.01, cosineHalfPeriod: 64, regulariseTau: 0.1 },
      split: { train: 21, validation: 3, test: 9 },
    });
    expect((await loadCheckpoint(checkpointFolder)).network).toEqual(run.network);
    expect(notes).toHaveLength(4);
    expect(notes[3]).toMatch(
      /^epoch 4\/4 · train loss .* · best test \d+\.\d % \(epoch \d\) · kept: epoch \d$/,
    );
    const { tensors, metadata } = readSafetensors(
      await readFile(path.join(checkpointFolder, 'checkpoint_max.safetensors')),
    );
    expect(tensors.get('conv.2.w')?.shape).toEqual([1, 2, 8, 8]);
    expect(metadata).toEqual({ data: 'simulated' });
    expect(await readFile(path.join(logFolder, 'SIMULATED.txt'), 'utf8')).toContain('simulated recordings');
  });

  it('holds no clips back with -val_ratio 0, and keeps the last epoch, also when it goes on', async () => {
    const preparation = prepare('all', 2, '-val_ratio', '0');
    expect(preparation.notes.join()).toContain('-val_ratio 0');
    const run = await train(preparation).ended;
    expect(run).toMatchObject({
      split: { train: 24, validation: 0 },
      compat: { selection: 'last', validation: 'all' },
      best: { epoch: 1, validationAccuracy: null },
    });
    expect(describeTrainingResult(run, preparation, root).join('\n')).toMatch(
      /^kept: epoch 2, no validation, test \d+\.\d %$/m,
    );
    const tags = (await readEvents(preparation.logFolder)).map(({ tag }) => tag);
    expect(tags).toContain('test_accuracy');
    expect(tags).not.toContain('val_accuracy');
    expect((await train(prepare('all', 3, '-val_ratio', '0')).ended).best.epoch).toBe(2);
  });

  it('writes its curves under the original’s tags, each epoch with its time', async () => {
    const preparation = prepare('logs', 2);
    await train(preparation).ended;
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
    expect(await timesOf(preparation)).toEqual([0, 1]);
    expect((await readdir(preparation.logFolder)).sort()).toEqual([
      'SIMULATED.txt',
      'events.out.tfevents.1700000000.repro',
    ]);
  });

  // Each epoch reports 5 training batches, 3 test batches, 1 validation batch, and its end.
  it.each([1, 4, 12, 17, 23, 30])(
    'ends with the same bytes if it is aborted at report %i and called again',
    async (reports) => {
      const [whole, parts] = [prepare('whole'), prepare('parts')];
      await train(whole).ended;
      await trainAndAbort(parts, reports);
      const { ended, notes } = train(parts);
      await ended;
      expect(await outputsOf(parts)).toEqual(await outputsOf(whole));
      expect(notes[0]).toMatch(/^Resuming/);
    },
  );

  it('keeps the times of earlier epochs when it resumes', async () => {
    const preparation = prepare('logs');
    await trainAndAbort(preparation, 17);
    seconds += 1000;
    await train(preparation).ended;
    expect(await timesOf(preparation)).toEqual([0, 1001, 1002, 1003]);
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -10)],
    ['damaged', (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(-100, -10)])],
  ])('rewrites its curves if a crash has left them %s', async (_, damage) => {
    const [whole, broken] = [prepare('whole'), prepare('broken')];
    await train(whole).ended;
    await trainAndAbort(broken, 25);
    const [name] = (await readdir(broken.logFolder)).filter((one) => one.includes('tfevents'));
    const file = path.join(broken.logFolder, name!);
    await writeFile(file, damage(await readFile(file)));
    await train(broken).ended;
    expect(await outputsOf(broken)).toEqual(await outputsOf(whole));
  });

  it('writes the files that are missing after it ended between checkpoint and files', async () => {
    const [whole, killed] = [prepare('whole', 1), prepare('killed', 1)];
    await train(whole).ended;
    // A folder in place of a partial file makes writing fail, like a kill at that point.
    const obstacle = path.join(killed.checkpointFolder, 'metrics.csv.partial');
    await mkdir(obstacle, { recursive: true });
    await expect(train(killed).ended).rejects.toMatchObject({ code: expect.stringMatching(/EISDIR/) });
    await rm(obstacle, { recursive: true, force: true });
    const { notes, ended } = train(killed);
    await ended;
    expect(notes).toEqual(['All 1 epochs are already trained.']);
    expect(await outputsOf(killed)).toEqual(await outputsOf(whole));
  });

  it('that is finished restores missing and damaged files', async () => {
    const preparation = prepare('logs', 2);
    const run = await train(preparation).ended;
    const before = await outputsOf(preparation);
    for (const name of stateFiles) await rm(path.join(preparation.checkpointFolder, name));
    await writeFile(path.join(preparation.checkpointFolder, 'run.json'), '{"version": 1');
    await rm(preparation.logFolder, { recursive: true });
    expect(await train(preparation).ended).toEqual(run);
    expect(await outputsOf(preparation)).toEqual(before);
  });

  it('continues with more epochs as if they had been requested at once, and refuses fewer', async () => {
    const [whole, parts] = [prepare('whole', 4), prepare('parts', 2)];
    await train(whole).ended;
    await train(parts).ended;
    await train(prepare('parts', 4)).ended;
    expect(await outputsOf(parts)).toEqual(await outputsOf(whole));
    await expect(train(prepare('parts', 3)).ended).rejects.toMatchObject({
      code: 'run-folder-taken',
      message: '4 epochs are already trained here.',
    });
    expect(await outputsOf(parts)).toEqual(await outputsOf(whole));
  });

  it('refuses to end before an epoch that has begun, and keeps the state after the last whole one', async () => {
    const [whole, parts] = [prepare('whole', 2), prepare('parts', 4)];
    await train(whole).ended;
    await trainAndAbort(parts, 23);
    await expect(train(prepare('parts', 2)).ended).rejects.toMatchObject({
      code: 'run-folder-taken',
      message: 'Epoch 3 is already begun here.',
      fix: expect.stringContaining('Use -max_epoch 3 or more'),
    });
    const stateOf = ({ checkpointFolder }: Preparation) =>
      readFile(path.join(checkpointFolder, 'checkpoint.safetensors'), 'hex');
    expect(await stateOf(parts)).toBe(await stateOf(whole));
  });

  it('does not start over if its checkpoints are unusable', async () => {
    const preparation = prepare('logs');
    await trainAndAbort(preparation, 17);
    const resume = path.join(preparation.checkpointFolder, 'resume');
    for (const name of await readdir(resume)) await truncate(path.join(resume, name), 10);
    const { ended, warnings } = train(preparation);
    await expect(ended).rejects.toMatchObject({ code: 'run-folder-taken' });
    expect(warnings).toHaveLength(2);
    await rm(path.join(resume, 'checkpoint'));
    await expect(train(preparation).ended).rejects.toMatchObject({ code: 'run-folder-taken' });
  });

  it('never continues another training with the same folder name', async () => {
    const preparation = prepare('logs', 2);
    await train(preparation).ended;
    const before = await outputsOf(preparation);
    const refused = { code: 'run-folder-taken', fix: expect.stringContaining('-log_dir_prefix') };
    const seven = prepare('logs', 2, '-seed', '7');
    await expect(train(seven).ended).rejects.toMatchObject(refused);
    const other = train(preparation, { framesDigest: 'of other frames' });
    await expect(other.ended).rejects.toMatchObject(refused);
    expect(await outputsOf(preparation)).toEqual(before);
  });

  it.each([
    ['-number_layer', '6', /^network: 6 layers halve a frame of \d+ x \d+ to nothing/, 'make other frames'],
    ['-channels', '100000', /at most 2,147,483,647 fit/, 'Use fewer `train.network.channels`.'],
  ])('says that frames and weights do not suit %s %s', async (name, value, message, fix) => {
    const words = tinyArguments.map((word, i, all) => (all[i - 1] === name ? value : word));
    const large = prepareTraining(
      [...words, '-log_dir_prefix', 'logs', '-max_epoch', '1'],
      'intent',
      root,
      GESTURES,
    );
    await expect(train(large).ended).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringMatching(message),
      fix: expect.stringContaining(fix),
    });
  });
});
