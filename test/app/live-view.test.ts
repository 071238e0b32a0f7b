import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { compileProgram } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noTerminal, Terminal, type TerminalOptions } from '../support/terminal.ts';
import { failed, started } from './view-events.ts';

type Steps = (readonly RunEvent[] | 'close' | 'exit' | 'crash')[];

const begin = (ids: readonly string[], jobs = ids.length): RunEvent => ({ kind: 'run-started', ids, jobs });
const finished = (id: string): RunEvent => ({ kind: 'finished', id, seconds: 2, metrics: {} });
const progress = (id: string, done: number, note?: string): RunEvent => ({
  kind: 'progress',
  id,
  progress: { done, total: 100, unit: 'clips', ...(note === undefined ? {} : { note }) },
});
const note = (id: string, text: string): RunEvent => ({ kind: 'note', id, level: 'note', text });

/** Shows a made-up run in a terminal. */
async function show(steps: Steps, options: TerminalOptions): Promise<Terminal> {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'events.json');
  await fs.writeFile(file, JSON.stringify(steps));
  const program = await compileProgram('test/fixtures/show-run.ts');
  return Terminal.start([process.execPath, program, file], options);
}

/** Shows the next step; signals that come too close together would count as one. */
async function advance(terminal: Terminal): Promise<void> {
  const countSteps = (): number => terminal.raw.split('\u001b]778;step').length;
  const before = countSteps();
  terminal.kill('SIGUSR2');
  await terminal.waitFor(() => countSteps() > before);
}

const two = [begin(['train@a', 'train@b', 'report'], 2), started('train@a'), started('train@b')];
const isRunning = (line: string): boolean => line.startsWith('● ');

if (noTerminal !== undefined) console.warn(`The live view is not tested in a terminal: ${noTerminal}.`);

describe.skipIf(noTerminal !== undefined)('the live view in a terminal', () => {
  test('shows running stages below what is finished, and leaves only the latter', async () => {
    const terminal = await show(
      [two, [progress('train@b', 40)], [finished('train@a'), failed('train@b')], 'close'],
      { columns: 80, rows: 12 },
    );
    await terminal.waitFor((rows) => rows.includes('○ 1 to go: report'));
    await advance(terminal);
    await terminal.waitFor((rows) => rows.some((row) => /^● train@b {2}██████▍·+ {2}40 %/.test(row)));
    expect(terminal.screen.filter(isRunning)).toHaveLength(2);
    expect(terminal.isCursorVisible).toBe(false);
    await advance(terminal);
    await terminal.waitFor((rows) => rows.includes('✘ 1 failed · ✔ 1 done · ○ 1 to go: report'));
    await advance(terminal);
    expect(await terminal.ended).toBe(0);
    expect(terminal.everything).toEqual([
      '  train@a  has never run',
      '  train@b  has never run',
      '✔ train@a  2.0 s',
      '✘ train@b  failed after 2.0 s',
      'closed',
    ]);
    expect(terminal.isCursorVisible).toBe(true);
  });

  test.each([
    [80, 24],
    [12, 4],
  ])(
    'fits 200 running stages into %i columns and %i rows, and scrolls nothing away twice',
    async (columns, rows) => {
      const ids = Array.from({ length: 200 }, (_, at) => `train@模型-${at},2020`);
      const steps: Steps = [
        [begin(ids), ...ids.map(started)],
        ids.map((id) => progress(id, 10, '🎓 étape 1')),
        ids.slice(0, 50).map(finished),
        ids.slice(50, 60).map((id) => failed(id)),
        ids.slice(60).map(finished),
        'close',
      ];
      const terminal = await show(steps, { columns, rows });
      const counts = (line = ''): boolean => /more running|●\+/.test(line);
      await terminal.waitFor((screen) => counts(screen.at(-2)));
      expect(terminal.screen.filter(isRunning)).toHaveLength(rows - 2);
      await advance(terminal);
      if (rows > 3)
        await terminal.waitFor((screen) => screen.filter(isRunning).every((row) => row.includes('10 %')));
      for (const row of terminal.screen) expect(stringWidth(row)).toBeLessThan(columns);
      await advance(terminal);
      await terminal.waitFor((screen) => /✔ ?50/.test(screen.at(-2) ?? ''));
      await advance(terminal);
      await terminal.waitFor((screen) => /✘ ?10/.test(screen.at(-2) ?? ''));
      await advance(terminal);
      await terminal.waitFor((screen) => /✔ ?190/.test(screen.at(-2) ?? ''));
      await advance(terminal);
      expect(await terminal.ended).toBe(0);
      const joined = terminal.everything.join('');
      expect(joined.match(/✔/g)).toHaveLength(190);
      expect(joined.match(/✘/g)).toHaveLength(10);
      expect(joined).not.toContain('●');
      expect(joined).not.toContain('more running');
    },
  );

  test('keeps its place when the terminal becomes narrower, wider, lower and higher', async () => {
    const ids = Array.from({ length: 8 }, (_, at) => `train@a-rather-long-model-name,${at}`);
    const long = 'a note that is longer than most terminals are wide, and stays whole';
    const steps: Steps = [
      [begin([...ids, 'report']), note(ids[0]!, long), ...ids.map(started)],
      [finished(ids[0]!), ...ids.slice(1).map((id) => progress(id, 50, '模型 🎓 étape'))],
      'close',
    ];
    const terminal = await show(steps, { columns: 100, rows: 30 });
    await terminal.waitFor((screen) => screen.includes('○ 1 to go: report'));
    await advance(terminal);
    for (const [columns, rows] of [
      [40, 30],
      [100, 30],
      [50, 24],
      [99, 40],
    ] as const) {
      await terminal.resize(columns, rows);
      // Seven running stages, and nothing of an earlier frame above them.
      await terminal.waitFor(
        (screen) =>
          screen.filter(isRunning).length === 7 &&
          screen.filter((row) => /to go|○/.test(row)).length === 1 &&
          screen.every((row) => !isRunning(row) || stringWidth(row) < columns),
      );
    }
    expect(terminal.everything.filter(isRunning)).toHaveLength(7);
    // Where a frame breaks into more rows than there are, or the terminal is lower than the frame, what scrolls away is out of reach.
    for (const [columns, rows] of [
      [20, 12],
      [60, 5],
      [21, 8],
      [20, 3],
      [120, 40],
      [80, 24],
    ] as const) {
      await terminal.resize(columns, rows);
      const room = Math.min(7, rows - 2);
      await terminal.waitFor((screen) => {
        const end = screen.findLastIndex((row) => /to go|○/.test(row));
        return (
          screen.slice(end + 1).every((row) => row === '') &&
          screen.slice(end - room, end).every((row) => isRunning(row) && stringWidth(row) < columns)
        );
      });
    }
    await advance(terminal);
    expect(await terminal.ended).toBe(0);
    expect(terminal.everything.at(-1)).toBe('closed');
    expect(terminal.everything.join('')).toContain(`${ids[0]}  ${long}`);
  });

  test('shows text from stages harmlessly: no colours, bells, titles, cursor movements, tabs or reordering', async () => {
    const evil =
      '\u001b[31mred\u001b[2J\u001b[H\u001b[?1049h \u001b]0;title\u0007\u0007bell\ttab \u001bP1$r\u001b\\\u202eabc\u202c 10%\r20% \u009b5A end\ud800';
    const steps: Steps = [
      [begin(['a', 'b'], 2), note('a', `first\n${evil}`), started('a'), started('b'), progress('b', 1, evil)],
      [{ kind: 'started', id: 'a\u001b[2J\nx', reasons: [{ cue: 'code', text: evil }], logFile: '' }],
      'close',
    ];
    const terminal = await show(steps, { columns: 100, rows: 12 });
    const shown = 'red bell tab abc 10% 20%  end\ufffd';
    await terminal.waitFor((screen) => screen.some((row) => row.includes(`· ${shown}`)));
    await advance(terminal);
    await terminal.waitFor((screen) => screen.filter(isRunning).length === 3);
    expect(terminal.screen.slice(0, 2)).toEqual(['  a  first', `    ${shown}`]);
    expect(terminal.screen).toContain(`  a x  ${shown}`);
    const written = terminal.raw.replaceAll('\u001b]778;step\u0007', '');
    for (const sign of ['\u0007', '\t', '\u202e', '\u001b]', '\u001bP', '\u009b', '\u001b[2J', '1049']) {
      expect(written).not.toContain(sign);
    }
  });

  test.each<[string, Steps, NodeJS.Signals, number]>([
    ['that closes the view', [two, 'close'], 'SIGUSR2', 0],
    ['by a crash', [two, 'crash'], 'SIGUSR2', 1],
    ['by SIGINT', [two], 'SIGINT', 130],
    ['by SIGHUP', [two], 'SIGHUP', 129],
  ])('gives the cursor back at an end %s', async (_, steps, signal, exitCode) => {
    const terminal = await show(steps, { columns: 80, rows: 24 });
    await terminal.waitFor((screen) => screen.some(isRunning));
    expect(terminal.isCursorVisible).toBe(false);
    terminal.kill(signal);
    expect(await terminal.ended).toBe(exitCode);
    expect(terminal.isCursorVisible).toBe(true);
    if (exitCode === 1) expect(terminal.everything.join('\n')).toContain('Error: this is a crash');
  });

  test('gives the cursor back while it is stopped by Ctrl-Z, and goes on with fg', async () => {
    // An interactive shell, as only those control jobs.
    const folder = await temporaryFolder();
    const file = path.join(folder, 'events.json');
    await fs.writeFile(file, JSON.stringify([two]));
    const program = await compileProgram('test/fixtures/show-run.ts');
    const terminal = Terminal.start(['bash', '--norc', '-i'], {
      columns: 120,
      rows: 30,
      env: { NODE: process.execPath, PROGRAM: program, EVENTS: file },
    });
    await terminal.waitFor((screen) => screen.some((row) => /[#$] ?$/.test(row)));
    for (let round = 0; round < 2; round += 1) {
      terminal.type(round === 0 ? '"$NODE" "$PROGRAM" "$EVENTS"\r' : 'fg\r');
      await terminal.waitFor((screen) => screen.some(isRunning) && !terminal.isCursorVisible);
      terminal.type('\u001a');
      await terminal.waitFor(
        (screen) => screen.filter((row) => row.includes('Stopped')).length === round + 1,
      );
      expect(terminal.isCursorVisible).toBe(true);
    }
    terminal.type('fg\r');
    await terminal.waitFor((screen) => screen.some(isRunning) && !terminal.isCursorVisible);
    terminal.type('\u0003');
    await terminal.waitFor((screen) => screen.every((row) => !isRunning(row)) && terminal.isCursorVisible);
    terminal.type('exit $?\r');
    expect(await terminal.ended).toBe(130);
  });
});
