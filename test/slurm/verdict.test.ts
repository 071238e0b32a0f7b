import { describe, expect, test } from 'vitest';
import { type Evidence, judge } from '../../src/runner/cluster/job-watch.ts';
import { forgotten, type JobStatus } from '../../src/runner/executors/slurm/slurm.ts';
import type { JobEnd } from '../../src/runner/jobs/jobs-folder.ts';

const base = { node: 'node7', outputs: '' } as const;
const done: JobEnd = { ...base, end: { kind: 'done', peakMemoryBytes: null } };
const failed: JobEnd = { ...base, end: { kind: 'failed', code: 'stage-error', text: 'no' } };
const told: JobEnd = { ...base, end: { kind: 'interrupted' } };
const warned: JobEnd = { ...told, wasWarned: true };

const status = (state: string, more: Partial<JobStatus> = {}): JobStatus => ({
  ...{ state, reason: null, node: 'node7' },
  ...more,
});

const unknown = status(forgotten, { node: null });

const verdictOf = (evidence: Partial<Evidence>) =>
  judge({
    job: '12',
    end: null,
    hasStarted: true,
    status: null,
    isSilent: false,
    ...evidence,
  });

const failure = (code: string, text = '') => ({
  ...{ kind: 'failed', code, text: expect.stringContaining(text) },
});

describe('a job', () => {
  test.each([null, unknown, status('RUNNING'), status('NODE_FAIL')])(
    'that reported its end is judged by that, whatever Slurm says: %j',
    (said) => {
      expect(verdictOf({ end: done, status: said })).toEqual(done.end);
      expect(verdictOf({ end: failed, status: said })).toEqual(failed.end);
      expect(verdictOf({ end: warned, status: said })).toMatchObject({ isCutOff: true, code: 'timeout' });
    },
  );

  test.each([
    [null, null],
    [null, status('PENDING')],
    [null, status('RUNNING')],
    [null, status('A_WORD_OF_TOMORROW')],
    [told, status('COMPLETING')],
    [told, null],
  ])('is waited for while nothing is known, or it goes on: %j, %j', (end, said) => {
    expect(verdictOf({ end, status: said, isSilent: true })).toBeNull();
  });

  test('that failed and had not begun is judged at once: its log says why, or it could write none', () => {
    const said = status('FAILED', { reason: 'NonZeroExitCode' });
    const text = 'job 12 on node7 failed before its stage began (NonZeroExitCode)\n  The log says why';
    expect(verdictOf({ status: said, hasStarted: false })).toEqual(failure('not-begun', text));
    expect(verdictOf({ status: said })).toBeNull();
  });

  test.each([
    ['OUT_OF_MEMORY', 'out-of-memory'],
    ['CANCELLED', 'cancelled'],
    ['FAILED', 'job-failed'],
    ['DEADLINE', 'job-failed'],
    ['COMPLETED', 'no-result'],
  ])(
    'that ended as %s without a report failed as %s, once that has had the time to appear',
    (state, code) => {
      expect(verdictOf({ status: status(state) })).toBeNull();
      expect(verdictOf({ status: status(state), isSilent: true })).toEqual(failure(code));
    },
  );

  test.each([
    ['TIMEOUT', 'timeout'],
    ['PREEMPTED', 'preempted'],
    ['NODE_FAIL', 'node-failed'],
    ['BOOT_FAIL', 'node-failed'],
  ])('that ended as %s was cut off, as %s: at once, if it reports that it was told to end', (state, code) => {
    expect(verdictOf({ status: status(state) })).toBeNull();
    expect(verdictOf({ status: status(state), isSilent: true })).toMatchObject({ isCutOff: true, code });
    expect(verdictOf({ status: status(state), end: told })).toMatchObject({ isCutOff: true, code });
  });

  test.each([
    [told, status('FAILED', { reason: 'NonZeroExitCode' })],
    [told, unknown],
    [null, status('FAILED', { reason: 'RaisedSignal:15(Terminated)' })],
  ])('that was told to end, and not why, says so: %j, %j', (end, said) => {
    expect(verdictOf({ status: said, end, isSilent: true })).toEqual(
      failure('told-to-end', 'job 12 on node7 was ended by SIGTERM, and Slurm does not say why'),
    );
  });

  test('that Slurm has forgotten is lost, but not at once', () => {
    expect(verdictOf({ status: unknown })).toBeNull();
    expect(verdictOf({ status: unknown, isSilent: true })).toEqual(failure('job-lost'));
  });

  test('that was cancelled before it began is judged at once', () => {
    const said = status('CANCELLED', { node: null });
    expect(verdictOf({ status: said, hasStarted: false })).toEqual(failure('cancelled'));
  });

  test.each([
    [{ reason: 'NonZeroExitCode' }, 'ended as FAILED (NonZeroExitCode) before'],
    [{ reason: 'RaisedSignal:9(Killed)' }, 'raise resources.memory'],
    [{}, 'ended as FAILED before'],
  ])('that left nothing is explained by how its script ended: %j', (more, text) => {
    expect(verdictOf({ status: status('FAILED', more), isSilent: true })).toEqual(
      failure('job-failed', text),
    );
  });
});
