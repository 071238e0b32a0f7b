import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findAttachable } from '../../src/runner/cluster/attachment.ts';
import { findExistingJobs } from '../../src/runner/cluster/existing-jobs.ts';
import type { Batch, BatchTask } from '../../src/runner/jobs/batch.ts';
import { listBatches } from '../../src/runner/jobs/jobs-folder.ts';
import {
  noteBegun,
  noteCancelled,
  readSubmittedRun,
  recordSubmittedRun,
  removeFinishedBatches,
  selectRest,
} from '../../src/runner/jobs/submitted-run.ts';
import type { Plan } from '../../src/runner/plan/plan.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { createSlurm } from './fake-slurm.ts';
import { JobsFolder, parts } from './jobs-folder.ts';

const find = async (jobs: JobsFolder, squeue: string) =>
  findExistingJobs(jobs.cache.jobs, {
    slurm: await createSlurm({ squeue }),
    cluster: { name: 'c', hasAccounting: false },
    selection: { profile: 'quick', set: [] },
  });

const knowsNone = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1";

/** A plan of which only the graph is looked at. */
const planOf = (dependencies: Readonly<Record<string, readonly string[]>>): Plan =>
  ({
    instances: new Map(Object.keys(dependencies).map((id) => [id, { id }])),
    dependencies: new Map(Object.entries(dependencies)),
  }) as never;

const record = (jobs: JobsFolder, ids: readonly string[], forced: readonly string[] = []): Promise<void> =>
  recordSubmittedRun(jobs.cache, { profile: 'quick', set: [], ids, forced, failFast: false }, false);

describe('a job that has ended well, of something that is stale since', () => {
  const changed = { ...parts, command: { kind: 'command', argv: ['y'] } } as const;
  const attach = async (isAttached: boolean) => {
    const jobs = await JobsFolder.create();
    await JobsFolder.end(await jobs.add(['train']), 0, 'done');
    const { latest } = await find(jobs, knowsNone);
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => {
      events.push(event);
    };
    const found = await findAttachable(['train'], latest, new Map([['train', changed]]), {
      ...{ isAttached, onEvent },
    });
    return { ids: [...found.keys()], events };
  };

  test('is told by who only attaches, with what has changed, and not submitted again', async () => {
    const { ids, events } = await attach(true);
    expect(ids).toEqual(['train']);
    expect(events).toMatchObject([
      {
        kind: 'note',
        id: 'train',
        text: expect.stringMatching(/^the result of job 1 is stale \(command: /),
      },
    ]);
  });

  test('is submitted again by a run', async () => {
    expect(await attach(false)).toEqual({ ids: [], events: [] });
  });
});

describe('who goes on with a run', () => {
  const plan = planOf({ a: [], b: ['a'], c: ['b'], d: [] });
  const rest = async (jobs: JobsFolder) => {
    const run = readSubmittedRun(jobs.cache);
    if (run === null) throw new Error('no run');
    const { selected, forced } = selectRest(plan, run, listBatches(jobs.cache.jobs));
    return { selected: [...selected], forced: [...forced] };
  };

  test('forces what was to be forced and has not begun, or is still under way', async () => {
    const jobs = await JobsFolder.create();
    await record(jobs, ['a', 'b', 'c', 'd'], ['a', 'b', 'd']);
    const folder = await jobs.add(['b'], {}, { isForced: true });
    await noteBegun(jobs.cache, ['a', 'b']);
    expect((await rest(jobs)).forced).toEqual(['b', 'd']);
    await folder.remove();
    expect((await rest(jobs)).forced).toEqual(['d']);
  });

  test('leaves out what was cancelled, and what depends on it and has no job of its own', async () => {
    const jobs = await JobsFolder.create();
    await record(jobs, ['a', 'b', 'c', 'd', 'gone']);
    const run = readSubmittedRun(jobs.cache);
    if (run === null) throw new Error('no run');
    expect([...selectRest(plan, { ...run, cancelled: ['a'] }, []).selected]).toEqual(['d']);
    await jobs.add(['c']);
    expect([
      ...selectRest(plan, { ...run, cancelled: ['a'] }, listBatches(jobs.cache.jobs)).selected,
    ]).toEqual(['c', 'd']);
  });
});

describe('at the end of a run, a job that Slurm has ended', () => {
  const end = async (jobs: JobsFolder, ids: readonly string[], squeue = knowsNone): Promise<void> => {
    const { endFiles } = await find(jobs, squeue);
    const session = { folder: jobs.cache, plan: planOf({ a: [], b: [], c: ['b'] }) };
    await removeFinishedBatches(session, ids, new Map(), endFiles);
  };
  const add = (jobs: JobsFolder, id: string, batch: Partial<Batch> = {}, task: Partial<BatchTask> = {}) =>
    jobs.add([id], batch, task);

  test('of an instance that is in the plan no longer, or is up to date, is taken note of', async () => {
    const jobs = await JobsFolder.create();
    await record(jobs, ['gone', 'a']);
    for (const id of ['gone', 'gone', 'a']) await add(jobs, id);
    await end(jobs, ['a']);
    expect(existsSync(jobs.cache.jobs)).toBe(false);
  });

  test('leaves nothing to go on with where the rest depends on what was cancelled', async () => {
    const jobs = await JobsFolder.create();
    await record(jobs, ['a', 'b', 'c']);
    await noteCancelled(jobs.cache, ['b']);
    await add(jobs, 'a');
    await end(jobs, ['a']);
    expect(existsSync(jobs.cache.jobs)).toBe(false);
  });

  test('of another instance is left to be told', async () => {
    const jobs = await JobsFolder.create();
    const folder = await add(jobs, 'b');
    await end(jobs, ['a']);
    expect(existsSync(folder.root)).toBe(true);
  });

  test('is not one that is under way, even if it is in the plan no longer', async () => {
    const jobs = await JobsFolder.create();
    const folder = await add(jobs, 'gone');
    await end(jobs, ['a'], "echo '1|N/A|RUNNING|0:05|node7|None'");
    expect(existsSync(folder.root)).toBe(true);
  });
});
