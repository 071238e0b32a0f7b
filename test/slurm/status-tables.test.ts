import { describe, expect, test } from 'vitest';
import {
  addExitCodes,
  isOnNode,
  lacksExitCode,
  parseAccounting,
  parseElapsed,
  parseQueue,
  phaseOf,
} from '../../src/executors/slurm/job-state.ts';
import { explainSubmission } from '../../src/executors/slurm/submission-errors.ts';

describe('the answer of squeue', () => {
  test('is read by job and task', () => {
    const table = parseQueue(
      [
        '12|0|RUNNING|1-02:03:04|node7|None',
        '12|1|PENDING|0:00||JobArrayTaskLimit',
        '13|N/A|CANCELLED|0:00||DependencyNeverSatisfied',
        '14|N/A|FAILED|4:05|node7|RaisedSignal:9(Killed)',
        '15|N/A|PENDING|0:00||(Nodes required for job are DOWN|DRAINED)',
      ].join('\n'),
    );
    expect([...table.keys()]).toEqual(['12_0', '12_1', '13', '14', '15']);
    expect(table.get('12_0')).toEqual({
      state: 'RUNNING',
      reason: null,
      node: 'node7',
      elapsedSeconds: 93_784,
    });
    expect(table.get('12_1')).toMatchObject({ state: 'PENDING', reason: 'JobArrayTaskLimit', node: null });
    expect(table.get('14')?.reason).toBe('RaisedSignal:9(Killed)');
    expect(table.get('15')?.reason).toBe('(Nodes required for job are DOWN|DRAINED)');
  });

  test.each([
    '',
    'slurm_load_jobs error: Unable to contact slurm controller (connect failure)',
    '12|0|RUNNING|0:01|node7',
    '12_[3-5]|N/A|PENDING|0:00||None',
    '12|[3-5]|PENDING|0:00||None',
    '12|0|running|0:01|node7|None',
  ])('%j says nothing about any job', (line) => {
    expect(parseQueue(line).size).toBe(0);
  });
});

test('the answer of sacct is read by job and task; steps and summaries of arrays are none', () => {
  const table = parseAccounting(
    [
      '12_0|COMPLETED|00:00:05|node7|0:0',
      '12_1|CANCELLED by 1000|00:01:00|node7|0:15',
      '12_[2-4]|PENDING|00:00:00|None assigned|0:0',
      '13.batch|FAILED|00:00:01|node7|79:0',
      '13|OUT_OF_MEMORY|00:00:01|node7|0:125',
      '14|FAILED|00:00:01|node7|79:0',
    ].join('\n'),
  );
  expect([...table].map(([job, { state }]) => `${job} ${state}`)).toEqual([
    '12_0 COMPLETED',
    '12_1 CANCELLED',
    '13 OUT_OF_MEMORY',
    '14 FAILED',
  ]);
  expect(table.get('13')?.reason).toBe('RaisedSignal:125');
  expect(table.get('14')).toEqual({
    ...{ state: 'FAILED', reason: null, node: 'node7', elapsedSeconds: 1, exitCode: 79 },
  });
  expect(table.get('12_0')).not.toHaveProperty('exitCode');
});

test('exit codes come from a second table, for the jobs that need one', () => {
  const table = parseQueue(
    [
      '12|0|FAILED|0:01|node7|NonZeroExitCode',
      '12|1|FAILED|0:01|node7|RaisedSignal:9(Killed)',
      '13|N/A|FAILED|0:01|node7|NonZeroExitCode',
    ].join('\n'),
  );
  expect([...table.values()].map(lacksExitCode)).toEqual([true, false, true]);
  const codes = `12                  0                   79:0
12                  1                   0:9
13                  N/A                 3:0
14                  N/A                 4:0
slurm_load_jobs error: Invalid job id specified
`;
  const added = addExitCodes(table, codes);
  expect([...added].map(([job, { exitCode }]) => [job, exitCode])).toEqual([
    ['12_0', 79],
    ['12_1', undefined],
    ['13', 3],
  ]);
  expect([...added.values()].some(lacksExitCode)).toBe(false);
});

test.each([
  ['0:00', 0],
  ['4:05', 245],
  ['01:00:00', 3600],
  ['2-00:00:01', 172_801],
  ['INVALID', null],
  ['', null],
])('%j has elapsed for %s s', (text, seconds) => {
  expect(parseElapsed(text)).toBe(seconds);
});

test.each([
  ['PENDING', 'active', false],
  ['RUNNING', 'active', true],
  ['COMPLETING', 'active', true],
  ['REQUEUE_HOLD', 'active', false],
  ['PREEMPTED', 'ended', false],
  ['A_WORD_OF_TOMORROW', 'unknown', false],
])('a job that is %s is %s', (state, phase, isRunning) => {
  expect([phaseOf(state), isOnNode(state)]).toEqual([phase, isRunning]);
});

describe('a refused submission', () => {
  test.each([
    ['Batch job submission failed: Invalid partition name specified', 'no such partition', 'sinfo'],
    [
      'Batch job submission failed: Invalid account or account/partition combination specified',
      'account',
      'sacctmgr',
    ],
    ['Batch job submission failed: Invalid qos specification', 'qos', 'sacctmgr show qos'],
    ['Batch job submission failed: Invalid feature specification', 'constraint', 'sinfo'],
    ['Batch job submission failed: Requested node configuration is not available', 'no node has', 'sinfo'],
    [
      'Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)',
      'time limit',
      'continues in another job',
    ],
    ['Batch job submission failed: Invalid job array specification', 'array is larger', 'arraySize'],
    [
      'Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user size)',
      'your limit of submitted jobs',
      'Wait',
    ],
    ["unrecognized option '--bogus'", 'does not know one of the options', 'flags'],
    ['something new', 'refuses the job', 'slurm.yaml'],
  ])('%s', (said, what, fix) => {
    const error = explainSubmission(`sbatch: error: ${said}`, () => 'pipeline.yaml:3:3');
    expect(error).toMatchObject({ code: 'slurm-refused', where: 'pipeline.yaml:3:3' });
    expect(error.message).toContain(what);
    expect(error.message).toContain(`\n  sbatch: ${said}`);
    expect(error.fix).toContain(fix);
  });
});
