import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test, vi } from 'vitest';
import { LiveView } from '../../src/cli/view/live-view.ts';
import { colorsFor } from '../../src/cli/view/print.ts';
import { applyEvent, RunState } from '../../src/cli/view/run-state.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';

/** A terminal that became narrower, which its stream learns only if it is asked. */
class NarrowedTerminal extends Writable {
  columns = 100;
  rows = 24;
  text = '';

  _refreshSize(): void {
    this.columns = 30;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

test('lines are cut to the size that the terminal has now, not to that of the redraw before', async () => {
  const terminal = new NarrowedTerminal();
  const stream = terminal as unknown as NodeJS.WriteStream;
  const view = new LiveView(stream, colorsFor(stream));
  const state = new RunState();
  const long = `train@${'a'.repeat(80)}`;
  const events: RunEvent[] = [
    { kind: 'run-started', ids: [long], jobs: 1 },
    { kind: 'started', id: long, reasons: [{ cue: 'never-run', text: 'has not run yet' }], logFile: '' },
  ];
  for (const event of events) {
    applyEvent(state, event, 0);
    view.show(event, state);
  }
  await vi.waitFor(() => expect(terminal.text).toContain('●'));
  view.close();
  const live = terminal.text.split('\n').filter((line) => line.includes('●'));
  for (const line of live) expect(stripVTControlCharacters(line).trimEnd().length).toBeLessThan(30);
});
