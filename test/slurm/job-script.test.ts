import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  escapePattern,
  formatArray,
  formatMebibytes,
  formatTimeLimit,
  type JobOptions,
  listSbatchOptions,
} from '../../src/executors/slurm/job-options.ts';
import { renderEnvironment, renderJobScript } from '../../src/executors/slurm/job-script.ts';

const options: JobOptions = {
  name: 'train.ab',
  comment: 'repro:ab',
  cpus: 2,
  memoryBytes: null,
  gpus: 0,
  gpuType: null,
  timeSeconds: null,
  warnSeconds: null,
  array: null,
  dependencies: [],
  logPattern: '/p/slurm-0.log',
  flags: [],
};

describe('options of sbatch', () => {
  test.each([
    [1, '00:01:00'],
    [60, '00:01:00'],
    [61, '00:02:00'],
    [48 * 3600 + 600, '2-00:10:00'],
    [86_399, '1-00:00:00'],
  ])('a limit of %i s is %s', (seconds, text) => {
    expect(formatTimeLimit(seconds)).toBe(text);
  });

  test('memory is rounded up to mebibytes', () => {
    expect([2 ** 30, 2 ** 20 + 1, 1].map(formatMebibytes)).toEqual(['1024M', '2M', '1M']);
  });

  test.each([
    [[0, 1, 2, 3], 2, '0-3%2'],
    [[3, 5, 6, 7, 9], null, '3,5-7,9'],
    [[4], 1, '4%1'],
  ])('an array of %j is written in ranges', (indices, atOnce, text) => {
    expect(formatArray({ indices, atOnce })).toBe(text);
  });

  test('only what is asked for is given, and what decides about results always', () => {
    expect(listSbatchOptions(options)).toEqual([
      '--job-name=train.ab',
      '--comment=repro:ab',
      '--nodes=1',
      '--ntasks=1',
      '--cpus-per-task=2',
      '--export=NIL',
      '--requeue',
      '--open-mode=append',
      '--output=/p/slurm-0.log',
    ]);
    const more = listSbatchOptions({
      ...options,
      ...{ partition: 'gpu', qos: 'long', memoryBytes: 2 ** 32, gpus: 2, gpuType: 'a100' },
      ...{ timeSeconds: 7200, warnSeconds: 119.5, flags: ['--exclusive'] },
      array: { indices: [0, 1], atOnce: null },
      dependencies: ['afterok:1', 'aftercorr:2'],
    });
    expect(more).toEqual(
      expect.arrayContaining([
        ...['--partition=gpu', '--qos=long', '--mem=4096M', '--gres=gpu:a100:2', '--time=02:00:00'],
        ...['--signal=B:USR2@120', '--array=0-1', '--dependency=afterok:1,aftercorr:2'],
        ...['--kill-on-invalid-dep=yes', '--exclusive'],
      ]),
    );
  });
});

describe('the script of a job', () => {
  const odd = `/tmp/it's "100 %" #1 \\x $HOME 💥`;
  const script = renderJobScript({
    options: { ...options, comment: 'a #b "c" \\', logPattern: `${escapePattern(odd)}/slurm-%a.log` },
    about: ['0: train@a'],
    proofFile: '/etc/hostname',
    environmentFile: '/dev/null',
    projectRoot: '/',
    prelude: ['echo prelude'],
    command: ['echo', odd, 'stage-job'],
    index: 7,
  });

  test('quotes directives as Slurm reads them', () => {
    expect(script).toContain('#SBATCH --comment="a #b \\"c\\" \\\\"\n');
    expect(script).toContain('#SBATCH --output="/tmp/it\'s \\"100 %%\\" #1 \\\\x $HOME 💥/slurm-%a.log"\n');
    expect(script.split('\n', 1)).toEqual(['#!/bin/bash -l']);
  });

  test('is one that a shell runs, with every word as it is', () => {
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe(`prelude\n${odd} stage-job 7\n`);
  });

  test('ends with its own code where the folder is not the one that was submitted', () => {
    const elsewhere = script.replace('/etc/hostname', '/etc/no-such-file');
    expect(() => execFileSync('bash', ['-c', elsewhere], { stdio: 'pipe' })).toThrow(
      expect.objectContaining({ status: 79, stderr: expect.objectContaining({}) }),
    );
  });

  test('takes the index of a task from Slurm', () => {
    const array = renderJobScript({
      options: { ...options, array: { indices: [0, 1], atOnce: null } },
      ...{
        about: [],
        proofFile: '/etc/hostname',
        environmentFile: '/dev/null',
        projectRoot: '/',
        prelude: [],
      },
      command: ['echo'],
    });
    const env = { SLURM_ARRAY_TASK_ID: '3' };
    expect(execFileSync('bash', ['-c', array], { encoding: 'utf8', env })).toBe('3\n');
  });

  test('sets variables to any value', () => {
    const values = { A: "it's", B: 'two\nlines', C: '', D: '$HOME `x` "y"' };
    const shell = `${renderEnvironment(values)}printf '%s|' "$A" "$B" "$C" "$D"`;
    expect(execFileSync('bash', ['-c', shell], { encoding: 'utf8' })).toBe(
      `${Object.values(values).join('|')}|`,
    );
  });
});
