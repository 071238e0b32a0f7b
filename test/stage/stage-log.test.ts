import { describe, expect, test } from 'vitest';
import { StageLog } from '../../src/stage/stage-log.ts';

function createLog() {
  const lines: string[] = [];
  const clock = { nowMs: 0 };
  return {
    lines,
    clock,
    log: new StageLog(
      (line) => lines.push(line),
      () => clock.nowMs,
    ),
  };
}

describe('the log of a stage', () => {
  test('has every note and warning', () => {
    const { log, lines } = createLog();
    log.say('note', 'on the CPU');
    log.say('warning', '3 recordings are missing');
    expect(lines).toEqual(['on the CPU', 'warning: 3 recordings are missing']);
  });

  test('has a line for every tenth of the work, not for every report, and for the end', () => {
    const { log, lines, clock } = createLog();
    for (let done = 0; done <= 38; done += 1) {
      log.progress({ done, total: 100, unit: 'batches', note: `loss 0.${done}` });
      clock.nowMs += 1_000;
    }
    log.end();
    log.end();
    expect(lines).toEqual([
      '0 % (0 of 100 batches)  loss 0.0',
      '10 % (10 of 100 batches)  loss 0.10',
      '20 % (20 of 100 batches)  loss 0.20',
      '30 % (30 of 100 batches)  loss 0.30',
      '38 % (38 of 100 batches)  loss 0.38',
    ]);
  });

  test('has a line after thirty seconds, and when the note changes', () => {
    const { log, lines, clock } = createLog();
    for (let done = 0; done < 62; done += 1) {
      log.progress({ done, total: 100_000, note: done < 40 ? 'reading' : 'writing' });
      clock.nowMs += 1_000;
    }
    expect(lines.map((line) => line.replace(/^0 % /, ''))).toEqual([
      '(0 of 100000)  reading',
      '(30 of 100000)  reading',
      '(40 of 100000)  writing',
    ]);
  });

  test('has at most one line per second', () => {
    const { log, lines, clock } = createLog();
    for (let done = 0; done <= 20; done += 1) {
      log.progress({ done, total: 20, note: done % 2 === 0 ? 'even' : 'odd' });
      clock.nowMs += 100;
    }
    expect(lines).toEqual(['0 % (0 of 20)  even', '50 % (10 of 20)  even', '100 % (20 of 20)  even']);
  });
});
