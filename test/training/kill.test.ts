import { spawnSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { trainNetwork } from '../../src/training/loop.ts';
import { compileProgram } from '../support/programs.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';
import { outputsOf, smallTask } from './small-task.ts';

const root = sharedTemporaryFolder();
let script: string;
beforeAll(async () => {
  script = await compileProgram('test/training/killed-training.ts');
});

interface Killing {
  /** When each process ends; `step 5` is before the sixth training step, `evaluation 2` before that process's second evaluation. */
  readonly moments: readonly string[];
  readonly saveEveryMinutes?: number;
  readonly validation?: 'all' | 'shuffled-drop-last';
}

/** Trains in consecutive processes, all killed at the given moments except the last. Epochs have 4 steps, the training 16. */
async function trainKilled(
  name: string,
  { moments, saveEveryMinutes = 1000, validation = 'all' }: Killing,
): Promise<{ outputs: unknown; steps: number[] }> {
  const folder = join(root, name);
  await mkdir(folder);
  const [log, output] = [join(folder, 'steps.log'), join(folder, 'output.json')];
  const run = (deadly: string) =>
    spawnSync(process.execPath, [script, folder, log, output, deadly, String(saveEveryMinutes), validation], {
      encoding: 'utf8',
    });
  for (const moment of moments) expect(run(moment).signal, moment).toBe('SIGKILL');
  const last = run('never');
  expect(last.stderr).toBe('');
  return {
    outputs: JSON.parse(await readFile(output, 'utf8')),
    steps: (await readFile(log, 'utf8')).trim().split('\n').map(Number),
  };
}

const to = (from: number, last: number) => Array.from({ length: last - from + 1 }, (_, i) => from + i);

describe('a training whose process was killed', () => {
  it('resumes from the last whole epoch, to the same weights, metrics and curves', async () => {
    // In the middle of an epoch three times, and once between two: before the first step of the third epoch.
    const killed = await trainKilled('epochs', { moments: ['step 3', 'step 6', 'step 8', 'step 11'] });
    expect(killed.outputs).toEqual(outputsOf(await trainNetwork(smallTask())));
    expect(killed.steps).toEqual([0, 1, 2, ...to(0, 5), ...to(4, 7), ...to(8, 10), ...to(8, 15)]);
  });

  it('loses the minutes since the last checkpoint of a long epoch, and ends with the same bytes', async () => {
    // The clock is read at the start, before each batch and after each save: three minutes have passed before the third batch.
    const killed = await trainKilled('minutes', {
      moments: ['step 3', 'step 3', 'evaluation 3', 'step 7'],
      saveEveryMinutes: 3,
    });
    expect(killed.outputs).toEqual(outputsOf(await trainNetwork(smallTask())));
    // Saved before steps 2 and 6, and after step 3, before the third evaluation, with which the fourth process resumes.
    expect(killed.steps).toEqual([0, 1, 2, 2, 2, 3, 4, 5, 6, ...to(6, 15)]);
  });

  it('resumes with the same random order of validation clips', async () => {
    const validation = 'shuffled-drop-last';
    const killed = await trainKilled('shuffled', {
      moments: ['step 2', 'evaluation 3', 'step 9'],
      saveEveryMinutes: 2,
      validation,
    });
    const whole = smallTask({}, { compat: { ...COMPAT_DEFAULTS, validation } });
    expect(killed.outputs).toEqual(outputsOf(await trainNetwork(whole)));
  });
});
