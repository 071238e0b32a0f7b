import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readClusterSettings } from '../../src/runner/cluster/cluster-settings.ts';
import type { PlannedBatch } from '../../src/runner/cluster/grouping.ts';
import { type Patience, submitBatch } from '../../src/runner/cluster/submission.ts';
import { BatchFolder } from '../../src/runner/jobs/batch.ts';
import { isRightJob } from '../../src/runner/jobs/claim.ts';
import { listBatches } from '../../src/runner/jobs/jobs-folder.ts';
import { forgetCancellation, markCancelled } from '../../src/runner/jobs/submitted-run.ts';
import { createSlurm } from './fake-slurm.ts';

const planned: PlannedBatch = {
  ...{ token: 'ab', stage: 'a', mutex: null, isArray: false, atOnce: null, dependencies: [] },
  request: {
    ...{ cpus: 1, memoryBytes: null, gpus: 0, gpuType: null, timeSeconds: null, warnSeconds: null },
    ...{ arrayLimit: null, flags: [] },
  },
  tasks: [{ index: 0, id: 'a' }],
};

let root: string;
let folder: BatchFolder;

beforeEach(async () => {
  root = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-submission-'));
  onTestFinished(() => fs.rm(root, { recursive: true, force: true }));
  folder = new BatchFolder(path.join(root, 'jobs', 'ab'));
});

/** So that nothing is waited for. */
const quick: Patience = { pollSeconds: 0.02, signal: new AbortController().signal, onPause: () => {} };

/** @param programs shell scripts, which find the folder of the batch as `$folder` */
async function submit(
  programs: Readonly<Record<string, string>>,
  patience: Patience | null = quick,
): Promise<string | null> {
  const scripts = Object.entries(programs).map(([name, script]) => [
    name,
    `folder=${folder.root}\n${script}`,
  ]);
  const submitted = await submitBatch(
    {
      slurm: await createSlurm(Object.fromEntries(scripts)),
      facts: { name: 'c', arraySize: 10, hasAccounting: false },
      settings: await readClusterSettings(root),
      selection: { profile: null, set: [] },
      jobs: path.dirname(folder.root),
      projectRoot: root,
      runner: ['repro'],
      environmentOf: () => ({ SECRET: 'x' }),
      jobIds: new Map(),
      assertLocked: () => {},
      patience,
    },
    planned,
    [],
    () => 'here',
  );
  return submitted?.batch.jobId ?? null;
}

/** Answers nothing the first time, and then this. */
const lostThen = (script: string): string =>
  `mkdir "$folder/lost" 2>/dev/null && { echo 'Socket timed out' >&2; exit 1; }\n${script}`;

const refuse =
  "echo 'sbatch: error: Batch job submission failed: Requested time limit is invalid' >&2; exit 1";

describe('a submission', () => {
  test('has the job that sbatch names', async () => {
    expect(await submit({ sbatch: 'echo 12' })).toBe('12');
    expect(listBatches(path.dirname(folder.root))[0]?.batch.jobId).toBe('12');
  });

  test('has the job that has begun, rather than the one that sbatch names; the other is cancelled', async () => {
    const jobId = await submit({
      sbatch: lostThen('ln -s 11 "$folder/claim"; echo 12'),
      squeue:
        '[ -e "$folder/claim" ] || [ -L "$folder/claim" ] && printf "11|RUNNING|\\n12|PENDING|\\n" || true',
      scancel: 'echo "$*" > "$folder/cancelled"',
    });
    expect([jobId, readFileSync(`${folder.root}/cancelled`, 'utf8')]).toEqual(['11', '12\n']);
  });

  test('that is refused only the second time has the job that has begun meanwhile', async () => {
    expect(await submit({ sbatch: lostThen(`ln -s 11 "$folder/claim"; ${refuse}`), squeue: 'true' })).toBe(
      '11',
    );
  });

  test('is not made once the run was cancelled', async () => {
    mkdirSync(path.dirname(folder.root));
    await markCancelled(path.dirname(folder.root));
    await expect(submit({ sbatch: 'echo 12' })).rejects.toMatchObject({ code: 'cancelled' });
    expect(existsSync(folder.root)).toBe(false);
    await forgetCancellation(path.dirname(folder.root));
    expect(await submit({ sbatch: 'echo 12' })).toBe('12');
  });

  test('that is refused leaves nothing; what turns up after that runs nothing', async () => {
    const submitted = submit({ sbatch: lostThen(refuse), squeue: 'true' });
    await expect(submitted).rejects.toThrow('its time limit is longer than the partition allows');
    expect(existsSync(folder.root)).toBe(false);
    expect(await isRightJob(folder.claimFile, { SLURM_JOB_ID: '11' })).toBe(false);
  });

  test('is repeated for as long as the run goes on, and says so once', async () => {
    const texts: string[] = [];
    const patience = { ...quick, onPause: (text: string) => texts.push(text) };
    const silent = "echo 'Unable to contact slurm controller' >&2; exit 1";
    const times = (count: number): string =>
      `echo x >> "$folder/asked"; [ $(wc -l < "$folder/asked") -gt ${count} ] || { ${silent}; }`;
    expect(
      await submit({ sbatch: `${times(4)}; echo 12`, squeue: times(8), scancel: 'true' }, patience),
    ).toBe('12');
    expect(texts).toEqual([expect.stringMatching(/^Slurm does not answer .* asking again every 0.02 s$/)]);
  });

  test('that waits for the limit of jobs leaves nothing where the run ends', async () => {
    const interruption = new AbortController();
    const patience = { ...quick, signal: interruption.signal, onPause: () => interruption.abort() };
    const full = "echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2; exit 1";
    expect(await submit({ sbatch: full }, patience)).toBeNull();
    expect(existsSync(folder.root)).toBe(false);
    await expect(submit({ sbatch: full }, null)).rejects.toThrow(
      'you have reached your limit of submitted jobs',
    );
  });

  test('that nobody has answered when the run ends stays, for the next command to find its job', async () => {
    const interruption = new AbortController();
    const patience = { ...quick, signal: interruption.signal, onPause: () => interruption.abort() };
    const silent = "echo 'Socket timed out' >&2; exit 1";
    expect(await submit({ sbatch: silent, squeue: silent }, patience)).toBeNull();
    expect(listBatches(path.dirname(folder.root)).map(({ batch }) => batch.jobId)).toEqual([null]);
  });
});
