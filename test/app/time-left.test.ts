import { describe, expect, test } from 'vitest';
import { renderLive } from '../../src/app/view/live-view.ts';
import type { RunState } from '../../src/app/view/run-state.ts';
import { estimateSecondsLeft } from '../../src/app/view/time-left.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { batches, colors, plainLines, started, stateAfter } from './view-events.ts';

const made = (id: string, totalSeconds: number): RunEvent => ({
  ...{ kind: 'cached', id, restored: [], removed: [], isRehearsal: false },
  made: { metrics: {}, totalSeconds },
});
const finished = (id: string, seconds: number): RunEvent => ({ kind: 'finished', id, seconds, metrics: {} });

/** Four models and two seeds, to train and evaluate. */
const seeds = [1, 2];
const models = ['a', 'b', 'c', 'd'];
const idsOf = (stage: string) => seeds.flatMap((seed) => models.map((model) => `${stage}@${model},${seed}`));
const [trainings, evaluations] = [idsOf('train'), idsOf('evaluate')];
const begin: RunEvent = { kind: 'run-started', ids: [...trainings, ...evaluations, 'report'], jobs: 2 };

function secondsLeft(state: RunState, nowMs: number): number | null {
  return estimateSecondsLeft(state.instances.values(), state.mostAtOnce, nowMs);
}

describe('the time that a run still takes', () => {
  test('is what is left of all stages, each as long as those made in this run or earlier, shared by as many as run at once', () => {
    const state = stateAfter([
      begin,
      made('train@a,1', 500),
      ...['train@b,1', 'train@c,1'].map(started),
      finished('train@b,1', 700),
      started('evaluate@a,1'),
      finished('evaluate@a,1', 40),
    ]);
    // Of train@c,1, which started at 1 s, 600 - 100 s, of five others 600 s each, of seven evaluations 40 s each.
    expect(secondsLeft(state, 101_000)).toBe((500 + 5 * 600 + 7 * 40) / 2);
  });

  test('of one that runs is what its own progress says, by which others are measured if none is done', () => {
    const at = (id: string, done: number): RunEvent => batches(id, done);
    const running = ['train@a,1', 'train@b,1'];
    const events = [begin, ...running.flatMap((id) => [started(id), at(id, 0)])];
    // A batch every 10 s, or every 20 s, of 120.
    const state = stateAfter(events, [201_000, at('train@a,1', 20)], [201_000, at('train@b,1', 10)]);
    expect(secondsLeft(state, 201_000)).toBeCloseTo((100 * 10 + 110 * 20 + 6 * 1800) / 2);
  });

  test('is at least as long as the longest that is left', () => {
    const rest = trainings.filter((id) => id !== 'train@d,2');
    const state = stateAfter([
      begin,
      ...rest.slice(0, 4).map(started),
      ...rest.map((id) => finished(id, 600)),
      ...evaluations.slice(0, 7).map((id) => made(id, 1)),
    ]);
    expect(state.mostAtOnce).toBe(4);
    expect(secondsLeft(state, 2000)).toBe(600);
  });

  test('is unknown while nothing is known of what there is most of, and not said if it is less than a minute', () => {
    expect(secondsLeft(stateAfter([begin, started('train@a,1')]), 100_000)).toBeNull();
    const few: RunEvent = { kind: 'run-started', ids: ['verify', 'report'], jobs: 2 };
    expect(secondsLeft(stateAfter([few, made('verify', 600)]), 2000)).toBeNull();
    const short = trainings.slice(1).map((id) => made(id, 50));
    expect(secondsLeft(stateAfter([begin, ...short]), 2000)).toBeNull();
  });
});

describe('the views', () => {
  const state = () =>
    stateAfter([begin, made('train@a,1', 5000), ...['train@b,1', 'train@c,1'].map(started)]);

  test.each([
    [100, '✔ 1 done · ○ 14 to go, about 4 h 52 min left: train ×5, evaluate ×8, report'],
    [60, '✔ 1 done · ○ 14 to go, about 4 h 52 min left: train ×5, ev…'],
    [40, '✔ 1 done · ○ 14 to go: train ×5, evalu…'],
    [20, '✔1 ○14'],
  ])('on a terminal of %i columns have it beside the counts, which stay longer', (columns, line) => {
    const lines = renderLive(state(), { columns, rows: 24, nowMs: 2000, colors });
    expect(lines.at(-1)).toBe(line);
  });

  test('in a log have it behind each instance that is done', () => {
    const run = stateAfter([begin, started('train@b,1'), finished('train@b,1', 401)]);
    expect(plainLines([finished('train@b,1', 401)], run, 2000)).toEqual([
      '+ train@b,1  done in 6 min 41 s; about 46 min left of the run',
    ]);
  });
});
