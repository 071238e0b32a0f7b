import { describe, expect, test } from 'vitest';
import { StageLog } from '../../../src/runner/stage/protocol.ts';

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

  test('has a line of progress every ten seconds, not for every report, and for the end', () => {
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
});
