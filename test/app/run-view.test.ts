import { execa } from 'execa';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { rerunCommand, summariseRun } from '../../src/app/view/event-text.ts';
import { renderLive } from '../../src/app/view/live-view.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { batches, colors, failed, plainLines, started, stateAfter, summaryOptions } from './view-events.ts';

describe('the live view', () => {
  test('shows bar, percent, rate, time left and note of a running stage', () => {
    const train = 'train@baseline,2020';
    const begin: RunEvent = { kind: 'run-started', ids: [train, 'report'], jobs: 2 };
    const state = stateAfter([begin, started(train), batches(train, 0)], [11_000, batches(train, 30)]);
    const lines = renderLive(state, { columns: 120, rows: 24, nowMs: 11_000, colors });
    expect(lines).toEqual([
      '● train@baseline,2020  ████············  25 % · epoch 3/12 · 30 s left · 3.0 batches/s',
      '○ 1 to go: report',
    ]);
  });

  test.each([
    [100, '● train@lambda-0.01,2020   16 % · epoch 203/1256 · loss 0.028 · val 81 % · 2 min left'],
    [80, '● train@lambda-0.01,2020  epoch 203/1256 · loss 0.028 · val 81 % · 2 min left'],
    [50, '● …@lambda-0.01,2020  epoch 203/1256 · 2 min left'],
    [30, '● …in@lambda-0.01,2020   16 %'],
  ])('in %i columns shows epoch, loss, accuracy and time left before anything else', (columns, line) => {
    const id = 'train@lambda-0.01,2020';
    const note = 'epoch 203/1256 · loss 0.028 · val 81 %';
    const at = (done: number): RunEvent => ({
      kind: 'progress',
      id,
      progress: { done, total: 2784, unit: 'batches', note },
    });
    const state = stateAfter([started(id), at(0)], [31_000, at(450)]);
    const [shown] = renderLive(state, { columns, rows: 24, nowMs: 31_000, colors });
    expect(shown).toBe(line);
  });

  test('fits a narrow and low terminal with 200 running stages', () => {
    const ids = Array.from({ length: 200 }, (_, at) => `train@a-rather-long-model-name,${at}`);
    const state = stateAfter([{ kind: 'run-started', ids, jobs: 200 }, ...ids.map(started)]);
    const lines = renderLive(state, { columns: 30, rows: 10, nowMs: 2000, colors });
    expect(lines.length).toBe(9);
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThan(30);
    expect(lines.at(-1)).toContain('192 more running');
  });
});

describe('the plain view', () => {
  const hit = (
    id: string,
    restored: string[] = [],
    removed: string[] = [],
    isRehearsal = false,
  ): RunEvent => ({
    kind: 'cached',
    ...{ id, restored, removed, isRehearsal },
  });

  test('writes one line per event and limits progress to quarters', () => {
    const progress = Array.from(
      { length: 100 },
      (_, i): RunEvent => ({
        kind: 'progress',
        id: 'frames',
        progress: { done: i + 1, total: 100, unit: 'clips' },
      }),
    );
    const end: RunEvent = { kind: 'finished', id: 'frames', seconds: 2.04, metrics: {} };
    expect(plainLines([started('frames'), ...progress, end])).toEqual([
      '> frames  has never run',
      '  frames  25 % (25 of 100 clips)',
      '  frames  50 % (50 of 100 clips)',
      '  frames  75 % (75 of 100 clips)',
      '  frames  100 % (100 of 100 clips)',
      '+ frames  done in 2.0 s',
    ]);
  });

  test('writes the speed and the time left, also of the second file of a download', () => {
    const megabytes = (done: number, atMs: number): [number, RunEvent] => [
      atMs,
      { kind: 'progress', id: 'fetch', progress: { done, total: 100, unit: 'MB' } },
    ];
    const first = [megabytes(0, 1000), megabytes(100, 2000)];
    const second = [megabytes(0, 2000), megabytes(40, 6000)];
    const state = stateAfter([started('fetch')], ...first, ...second);
    expect(plainLines([megabytes(40, 6000)[1]], state, 6000)).toEqual([
      '  fetch  40 % (40 of 100 MB)  6 s left  10 MB/s',
    ]);
  });

  test.each([
    ['eight hours of sleep', 8 * 3_600_000],
    ['the clock was set back by an hour', -3_600_000],
  ])('counts only the work since a jump in time: after %s', (_, jumpMs) => {
    const wokenMs = 21_000 + jumpMs;
    const events: [number, RunEvent][] = [
      [11_000, batches('t', 30)],
      [wokenMs, batches('t', 31)],
      [wokenMs + 5000, batches('t', 46)],
    ];
    const state = stateAfter([started('t'), batches('t', 0)], ...events);
    expect(plainLines([batches('t', 46)], state, wokenMs + 5000)).toEqual([
      '  t  38 % (46 of 120 batches)  epoch 3/12  25 s left  3.0 batches/s',
    ]);
  });

  test('tells what happened to the outputs of an instance that need not run, or in a dry run would', () => {
    expect(
      plainLines([
        hit('s'),
        hit('s', ['a/x'], ['a/stray.txt']),
        hit('s', ['a/x'], [], true),
        hit('s', [], ['a/stray.txt'], true),
      ]),
    ).toEqual([
      '= s  up to date',
      '= s  restored from the store: a/x; took out files not made by the stage: a/stray.txt',
      '= s  would restore from the store: a/x',
      '= s  would set aside files not made by the stage: a/stray.txt',
    ]);
  });
});

describe('the summary', () => {
  test('shows the end of the log, the command to rerun the failure, and what it blocked', () => {
    const state = stateAfter([
      { kind: 'run-started', ids: ['frames', 'train@a,1', 'train@b,1'], jobs: 1 },
      started('frames'),
      failed('frames', { logFile: '/project/artifacts/.cache/logs/frames.log', logTail: ['one', 'two'] }),
      { kind: 'blocked', id: 'train@a,1', by: ['frames'] },
      { kind: 'blocked', id: 'train@b,1', by: ['frames'] },
      { kind: 'run-finished', outcome: 'failed', seconds: 1.5 },
    ]);
    const more = { runArguments: ['--profile', 'full'], results: ['report: x'] };
    const lines = summariseRun(state, { ...summaryOptions, ...more });
    expect(lines).toEqual([
      '',
      'frames failed: exit code 7',
      '  last lines of artifacts/.cache/logs/frames.log:',
      '  | one',
      '  | two',
      '  run it again: ./repro run frames --profile full',
      '',
      'not run, because of these failures: train ×2',
      '',
      '1 failed, 2 blocked in 1.5 s',
    ]);
  });

  test('says where interrupted stages resume: where they are, where they last saved, or nowhere', () => {
    const ended = (id: string, savedSecondsAgo: number | null): RunEvent => ({
      ...{ kind: 'interrupted', id, savedSecondsAgo },
    });
    const events = [ended('train@a', 0), ended('train@b', 245), ended('report', null), ended('train@c', 0)];
    expect(summariseRun(stateAfter(events), summaryOptions).slice(0, 4)).toEqual([
      '',
      'interrupted: train ×2. The same command resumes from here.',
      'interrupted: train@b. The same command resumes from what it saved 4 min 05 s before its end.',
      'interrupted: report. The same command starts it from the beginning, as it had saved nothing.',
    ]);
  });

  test('quotes words so that a shell reads them as they are', async () => {
    const words = [
      '-x',
      '',
      ' ',
      "it's",
      '"$HOME"',
      '`ls`',
      '~',
      '*',
      'a\nb',
      "\t'\\\u001b[2J\u0085",
      'é🎓',
      '!!',
      '#',
    ];
    const line = rerunCommand('train', words);
    const { stdout } = await execa('bash', ['-c', line.replace('./repro run train', "printf '%s\\0'")]);
    expect(stdout.split('\0').slice(0, -1)).toEqual(words);
  });
});
