import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Engine, StepAbortedError } from '../../src/network/engines/engine.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { CheckpointStore } from '../../src/training/checkpoint-store.ts';
import { type TrainingTask, trainNetwork } from '../../src/training/loop.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fakeEngine } from './fake-engine.ts';
import { outputsOf, smallNetwork, smallTask } from './small-task.ts';

let folder: string;
let warnings: string[];
const store = () => new CheckpointStore(folder, (text) => warnings.push(text));

beforeEach(async () => {
  folder = await temporaryFolder();
  warnings = [];
});

/** An engine whose step with this number, from 1, never ends unless it is aborted. */
function abortableEngine(endless: number, onEndless: () => void): Engine {
  const engine = fakeEngine();
  return {
    ...engine,
    open: async (...network) => {
      const session = await engine.open(...network);
      let steps = 0;
      let abort = () => {};
      return {
        ...session,
        trainStep: async (...step) => {
          steps += 1;
          if (steps !== endless) return session.trainStep(...step);
          return new Promise((_, reject) => {
            abort = () => reject(new StepAbortedError());
            setImmediate(onEndless);
          });
        },
        abort: () => abort(),
      };
    },
  };
}

/** Trains until `when` calls happened of steps and evaluations together, then aborts. */
async function trainAndAbort(when: number, over: Partial<TrainingTask> = {}): Promise<void> {
  const controller = new AbortController();
  let calls = 0;
  const count = () => {
    calls += 1;
    if (calls === when) controller.abort(new Error('SIGINT'));
  };
  const task = smallTask(
    { onStep: count, onEvaluate: count },
    { checkpoints: store(), signal: controller.signal, ...over },
  );
  await expect(trainNetwork(task)).rejects.toMatchObject({ code: 'training-interrupted' });
}

describe('a training that was interrupted', () => {
  it('ends as if uninterrupted, wherever it was aborted', async () => {
    const expected = outputsOf(await trainNetwork(smallTask()));
    // Each epoch has 4 steps and 4 evaluations: within an epoch, in the test, in the validation, and in later epochs.
    for (const when of [1, 3, 4, 5, 7, 8, 11, 16, 25, 31]) {
      folder = await temporaryFolder();
      await trainAndAbort(when);
      const outcome = await trainNetwork(smallTask({}, { checkpoints: store() }));
      expect(outputsOf(outcome), `aborted after ${when} batches`).toEqual(expected);
    }
    expect(warnings).toEqual([]);
  });

  it('ends as if uninterrupted if not every epoch is tested', async () => {
    const settings = { ...smallTask().settings, testEvery: 3 };
    const expected = outputsOf(await trainNetwork(smallTask({}, { settings })));
    // Epochs of 4 steps and 2 or (the third and the fourth) 4 evaluations: the first validation, a test, the validation behind it.
    for (const when of [5, 17, 19]) {
      await trainAndAbort(when, { settings });
      expect(outputsOf(await trainNetwork(smallTask({}, { settings, checkpoints: store() })))).toEqual(
        expected,
      );
      folder = await temporaryFolder();
    }
  });

  it('logs the lines of all epochs, including those before the interruption', async () => {
    const expected: string[] = [];
    await trainNetwork(smallTask({}, { log: (line) => expected.push(line) }));
    await trainAndAbort(19);
    const lines: string[] = [];
    await trainNetwork(smallTask({}, { checkpoints: store(), log: (line) => lines.push(line) }));
    expect(lines).toEqual(expected);
  });

  it('does not repeat what was done', async () => {
    await trainAndAbort(11);
    const steps: number[] = [];
    await trainNetwork(smallTask({ onStep: (step) => steps.push(step) }, { checkpoints: store() }));
    expect(steps).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  it('says where it resumes', async () => {
    await trainAndAbort(11);
    const notes: string[] = [];
    await trainNetwork(smallTask({}, { checkpoints: store(), note: (text) => notes.push(text) }));
    expect(notes).toEqual(['Resuming epoch 2 of 4 after 3 batches.']);
    await trainNetwork(smallTask({}, { checkpoints: store(), note: (text) => notes.push(text) }));
    expect(notes[1]).toBe('All 4 epochs are already trained.');
  });

  it('notices an abort that arrives as an event, between two batches', async () => {
    const controller = new AbortController();
    const steps: number[] = [];
    const onStep = (step: number) => {
      steps.push(step);
      if (step === 5) setImmediate(() => controller.abort());
    };
    const training = trainNetwork(smallTask({ onStep }, { checkpoints: store(), signal: controller.signal }));
    await expect(training).rejects.toMatchObject({ code: 'training-interrupted' });
    expect(steps.length).toBeLessThan(9);
  });

  it('does not wait for the end of a step that can be aborted, and does it again', async () => {
    const controller = new AbortController();
    const engine = abortableEngine(6, () => controller.abort());
    const task = { ...smallTask({}, { checkpoints: store(), signal: controller.signal }), engine };
    await expect(trainNetwork(task)).rejects.toMatchObject({
      code: 'training-interrupted',
      message: 'Interrupted in epoch 2.',
    });
    const notes: string[] = [];
    const resumed = smallTask({}, { checkpoints: store(), note: (text) => notes.push(text) });
    expect(outputsOf(await trainNetwork(resumed))).toEqual(outputsOf(await trainNetwork(smallTask())));
    expect(notes).toEqual(['Resuming epoch 2 of 4 after 1 batch.']);
  });

  it('can be interrupted again and again', async () => {
    for (let i = 0; i < 12; i++) await trainAndAbort(2);
    const outcome = await trainNetwork(smallTask({}, { checkpoints: store() }));
    expect(outputsOf(outcome)).toEqual(outputsOf(await trainNetwork(smallTask())));
  });
});

describe('a checkpoint of another training', () => {
  const { settings, split, testRows } = smallTask();
  it.each<[string, Partial<TrainingTask>]>([
    ['seed', { seed: 2021 }],
    ['network', { spec: buildNetwork({ ...smallNetwork, hidden: 3 }) }],
    ['learning rate', { settings: { ...settings, learningRate: 2e-3 } }],
    ['λ', { settings: { ...settings, regulariseTau: 0.2 } }],
    ['regulariser', { compat: { ...COMPAT_DEFAULTS, regularise: 'tau' } }],
    ['loss', { compat: { ...COMPAT_DEFAULTS, loss: 'step' } }],
    ['rule for ties', { compat: { ...COMPAT_DEFAULTS, ties: 'rounding' } }],
    ['validation', { compat: { ...COMPAT_DEFAULTS, validation: 'shuffled-drop-last' } }],
    ['choice of the best epoch', { compat: { ...COMPAT_DEFAULTS, selection: 'best-test' } }],
    ['order of training clips', { split: { ...split, train: split.train.toReversed() } }],
    ['split', { split: { ...split, validation: split.validation.subarray(1) } }],
    ['numbers drawn before', { drawsBefore: 12 }],
    ['engine', { engine: { ...fakeEngine(), description: { ...fakeEngine().description, version: '2' } } }],
    ['number of test clips', { testRows: testRows.subarray(1) }],
  ])('(another %s) is not resumed, and that is said', async (_, over) => {
    await trainAndAbort(11);
    const notes: string[] = [];
    await trainNetwork(smallTask({}, { ...over, checkpoints: store(), note: (text) => notes.push(text) }));
    expect(notes).toEqual([]);
    expect(warnings[0]).toContain('Ignoring this checkpoint: it belongs to a different training run.');
  });
});

describe('a damaged checkpoint', () => {
  const damages: Record<string, (path: string) => Promise<void>> = {
    'cut off': (path) => truncate(path, 1000),
    empty: (path) => truncate(path, 0),
    altered: async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.length - 5]! ^= 1;
      await writeFile(path, bytes);
    },
    // As if killed between two renames.
    missing: (path) => rm(path),
  };
  it.each(Object.keys(damages))('that is %s is replaced by the previous one', async (damage) => {
    await trainAndAbort(20);
    await damages[damage]!(join(folder, 'checkpoint'));
    const steps: number[] = [];
    const outcome = await trainNetwork(
      smallTask({ onStep: (step) => steps.push(step) }, { checkpoints: store() }),
    );
    expect(steps[0]).toBe(8);
    expect(outputsOf(outcome)).toEqual(outputsOf(await trainNetwork(smallTask())));
    expect(warnings).toEqual(
      damage === 'missing' ? [] : [expect.stringContaining('This checkpoint cannot be used')],
    );
  });

  it('starts the training again if there is no other checkpoint', async () => {
    await trainAndAbort(20);
    for (const name of await readdir(folder)) await truncate(join(folder, name), 10);
    const outcome = await trainNetwork(smallTask({}, { checkpoints: store() }));
    expect(outputsOf(outcome)).toEqual(outputsOf(await trainNetwork(smallTask())));
    expect(warnings).toHaveLength(2);
  });
});
