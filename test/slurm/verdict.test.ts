import { describe, expect, test } from 'vitest';
import type { JobStatus } from '../../src/executors/slurm/job-state.ts';
import { type Before, type Evidence, judge, nodeFailures } from '../../src/runner/cluster/verdict.ts';
import type { TaskEnd } from '../../src/runner/jobs/task-end.ts';

const fingerprint = 'a'.repeat(64);
const base = { version: 1, job: '12_3', node: 'node7' } as const;
const done: TaskEnd = { ...base, kind: 'done', fingerprint };
const failed: TaskEnd = { ...base, kind: 'failed', code: 'stage-error', text: 'no' };
const interrupted: TaskEnd = { ...base, kind: 'interrupted' };

const status = (state: string, more: Partial<JobStatus> = {}): JobStatus => ({
  ...{ state, reason: null, node: 'node7', elapsedSeconds: 60 },
  ...more,
});

const verdictOf = (evidence: Partial<Evidence>) =>
  judge({ job: '12_3', end: null, status: null, silentSeconds: 0, patienceSeconds: 90, ...evidence });

describe('a job', () => {
  test.each([null, 'absent' as const, status('RUNNING'), status('NODE_FAIL')])(
    'that left a result is done whatever Slurm says: %j',
    (said) => {
      expect(verdictOf({ end: done, status: said })).toEqual({ kind: 'done', fingerprint });
      expect(verdictOf({ end: failed, status: said })).toMatchObject({ kind: 'failed', code: 'stage-error' });
    },
  );

  test.each([
    [null, null],
    [null, status('PENDING')],
    [null, status('RUNNING')],
    [null, status('A_WORD_OF_TOMORROW')],
    // Put back into the queue after it was told to end.
    [interrupted, status('PENDING')],
    [interrupted, null],
  ])('is waited for while nothing is known, or it goes on: %j, %j', (end, said) => {
    expect(verdictOf({ end, status: said, silentSeconds: 1e9 })).toEqual({ kind: 'wait' });
  });

  test.each([
    [127, 'no-command', 'a program in its command was not found (exit code 127)'],
    [126, 'no-command', 'is not executable'],
    [80, 'prelude', 'failed in a line of its prelude'],
    [79, 'not-shared', 'the project is another folder there'],
  ])('whose script says by %i that the runner never began is judged at once', (exitCode, code, text) => {
    const said = status('FAILED', { exitCode, reason: 'NonZeroExitCode' });
    expect(verdictOf({ status: said })).toMatchObject({ code, text: expect.stringContaining(text) });
    expect(verdictOf({ status: status('FAILED', { exitCode: 1 }) })).toEqual({ kind: 'wait' });
  });

  test.each([
    ['TIMEOUT', 'timeout'],
    ['DEADLINE', 'deadline'],
    ['OUT_OF_MEMORY', 'out-of-memory'],
    ['PREEMPTED', 'preempted'],
    ['NODE_FAIL', 'node-failed'],
    ['BOOT_FAIL', 'node-failed'],
    ['CANCELLED', 'cancelled'],
    ['FAILED', 'job-failed'],
    ['COMPLETED', 'no-result'],
  ])(
    'that ended as %s without a result failed as %s, once its files have had the time to appear',
    (state, code) => {
      expect(verdictOf({ status: status(state), silentSeconds: 89 })).toEqual({ kind: 'wait' });
      expect(verdictOf({ status: status(state), silentSeconds: 90 })).toMatchObject({ kind: 'failed', code });
    },
  );

  test.each(['TIMEOUT', 'OUT_OF_MEMORY', 'PREEMPTED', 'NODE_FAIL', 'CANCELLED'])(
    'that was told to end, and ended as %s, will leave nothing else',
    (state) => {
      expect(verdictOf({ status: status(state), end: interrupted })).toMatchObject({ kind: 'failed' });
    },
  );

  test('whose word is that of an attempt before gets the time to say more', () => {
    const end: TaskEnd = { ...interrupted, because: 'time' };
    for (const [said, code] of [
      [status('COMPLETED'), 'no-result'],
      [status('FAILED', { reason: 'NonZeroExitCode', exitCode: 127 }), 'told-to-end'],
      [status('FAILED', { reason: 'RaisedSignal:9(Killed)' }), 'told-to-end'],
      // A node without the project cannot remove what is there.
      [status('FAILED', { reason: 'NonZeroExitCode', exitCode: 79 }), 'not-shared'],
    ] as const) {
      expect(verdictOf({ status: said, end, silentSeconds: 89 })).toEqual({ kind: 'wait' });
      expect(verdictOf({ status: said, end, silentSeconds: 90 })).toMatchObject({ code });
    }
  });

  test.each([
    [interrupted, { reason: 'NonZeroExitCode', exitCode: 1 }],
    [null, { reason: 'RaisedSignal:15(Terminated)' }],
  ])('that was told to end, and not why, is no failure of its stage: %j', (end, more) => {
    expect(verdictOf({ status: status('FAILED', more), end, silentSeconds: 90 })).toEqual({
      kind: 'failed',
      code: 'told-to-end',
      text: 'job 12_3 on node7 was ended by SIGTERM, and Slurm does not say why',
    });
    expect(nodeFailures.has('told-to-end')).toBe(true);
  });

  test('that Slurm has forgotten is lost, but not at once', () => {
    expect(verdictOf({ status: 'absent', silentSeconds: 10 })).toEqual({ kind: 'wait' });
    expect(verdictOf({ status: 'absent', silentSeconds: 90 })).toMatchObject({ code: 'job-lost' });
  });

  test('that never ran is judged at once: cancelled, or dropped because of what it depends on', () => {
    const unstarted = { node: null, elapsedSeconds: 0 };
    expect(verdictOf({ status: status('CANCELLED', unstarted) })).toMatchObject({ code: 'cancelled' });
    for (const state of ['CANCELLED', 'PENDING']) {
      const reason = 'DependencyNeverSatisfied';
      expect(verdictOf({ status: status(state, { ...unstarted, reason }) })).toEqual({ kind: 'dropped' });
    }
  });

  test('that never ran is dropped if what it waits for has failed, though Slurm no longer says so', () => {
    const unstarted = status('CANCELLED', { node: null, elapsedSeconds: 0 });
    for (const [said, own] of [
      [unstarted, 'cancelled'],
      ['absent', 'job-lost'],
    ] as const) {
      const judged = (before: Before) => verdictOf({ status: said, silentSeconds: 90, before });
      expect(judged('failed')).toEqual({ kind: 'dropped' });
      // What it waits for is over, and not yet judged.
      expect(judged('open')).toEqual({ kind: 'wait' });
      expect(judged('fine')).toMatchObject({ code: own });
    }
    // One that has run was cancelled by someone.
    const ran = verdictOf({ status: status('CANCELLED'), silentSeconds: 90, before: 'failed' });
    expect(ran).toMatchObject({ code: 'cancelled' });
  });

  test.each(['FAILED', 'TIMEOUT'])(
    'whose time was over, and that Slurm did not put back into the queue (%s), says why',
    (state) => {
      const end: TaskEnd = { ...interrupted, because: 'time', refusal: 'disabled for job 12' };
      const refused = {
        kind: 'failed',
        code: 'timeout',
        text: 'job 12_3 on node7 used up its time, and Slurm did not requeue it: disabled for job 12',
      };
      expect(verdictOf({ status: status(state), end })).toEqual(refused);
      // It may have been forgotten meanwhile.
      expect(verdictOf({ status: 'absent', end })).toEqual({ kind: 'wait' });
      expect(verdictOf({ status: 'absent', end, silentSeconds: 90 })).toEqual(refused);
      expect(verdictOf({ status: status(state), end: { ...end, because: 'room' } })).toMatchObject({
        code: 'preempted',
        text: expect.stringContaining(
          'was warned to make room for another job, and Slurm did not requeue it',
        ),
      });
      expect(verdictOf({ status: status('PENDING'), end })).toEqual({ kind: 'wait' });
      expect(verdictOf({ status: status('CANCELLED'), end })).toMatchObject({ code: 'cancelled' });
    },
  );

  test.each([
    [{ reason: 'NonZeroExitCode', exitCode: 79 }, 'not-shared', 'the project is another folder there'],
    [{ reason: 'RaisedSignal:53(Real-time_signal_19)' }, 'no-log', 'could not write its log'],
    [{ reason: 'RaisedSignal:12(User_defined_signal_2)' }, 'timeout', '`command` in configs/executors/slurm'],
    [{ reason: 'NonZeroExitCode', exitCode: 3 }, 'job-failed', 'ended as FAILED (exit code 3) before'],
    [{ reason: 'NonZeroExitCode' }, 'job-failed', 'ended as FAILED (NonZeroExitCode) before'],
    [{}, 'job-failed', 'ended as FAILED before'],
  ])('that left nothing is explained by how its script ended: %j', (more, code, text) => {
    expect(verdictOf({ status: status('FAILED', more), silentSeconds: 90 })).toMatchObject({
      code,
      text: expect.stringContaining(text),
    });
  });

  test('that was killed by signal 9 is said to be short of memory', () => {
    const said = status('FAILED', { reason: 'RaisedSignal:9(Killed)' });
    expect(verdictOf({ status: said, silentSeconds: 90 })).toMatchObject({
      text: expect.stringContaining('raise resources.memory'),
    });
  });
});
