import type { RunEvent } from '../../runner/events.ts';
import type { Colors } from './colors.ts';
import { describeExpected } from './expected.ts';
import { formatSeconds } from './format.ts';
import { describeHit } from './hits.ts';
import { describeReasons } from './reasons.ts';
import type { RunState } from './run-state.ts';
import type { View } from './view.ts';

/** A progress line is printed when this much more of the work is done, or after this long, so as not to flood a log. */
const progressShare = 0.25;
const progressSeconds = 30;

/** One line per event, for CI logs, files and pipes. */
export class PlainView implements View {
  readonly #write: (line: string) => void;
  readonly #colors: Colors;
  readonly #lastProgress = new Map<string, { share: number; atMs: number }>();

  constructor(write: (line: string) => void, colors: Colors) {
    this.#write = write;
    this.#colors = colors;
  }

  show(event: RunEvent, _state: RunState, nowMs: number): void {
    const line = this.#lineOf(event, nowMs);
    if (line !== null) this.#write(line);
  }

  close(): void {}

  #lineOf(event: RunEvent, nowMs: number): string | null {
    const c = this.#colors;
    switch (event.kind) {
      case 'cached': {
        const done = describeHit(event);
        return done === null
          ? `${c.dim('=')} ${event.id}  up to date`
          : `${c.green('=')} ${event.id}  ${done}`;
      }
      case 'would-run':
        return `${c.yellow('?')} ${event.id}  would run${describeExpected(event.expected)}: ${describeReasons(event.reasons)}`;
      case 'started':
        this.#lastProgress.set(event.id, { share: 0, atMs: nowMs });
        return `${c.cyan('>')} ${event.id}  ${describeReasons(event.reasons)}`;
      case 'progress': {
        const { done, total, unit, note } = event.progress;
        const share = total > 0 ? done / total : 0;
        const last = this.#lastProgress.get(event.id);
        const due =
          last === undefined ||
          share - last.share >= progressShare ||
          nowMs - last.atMs >= progressSeconds * 1000;
        if (!due) return null;
        this.#lastProgress.set(event.id, { share, atMs: nowMs });
        const figures = `${Math.floor(share * 100)} % (${done} of ${total}${unit === undefined ? '' : ` ${unit}`})`;
        // Without a known end, only the note says how much is done.
        const parts = [...(total > 0 ? [figures] : []), ...(note === undefined ? [] : [note])];
        return parts.length === 0 ? null : `  ${event.id}  ${parts.join('  ')}`;
      }
      case 'note':
        return event.level === 'warning'
          ? `${c.yellow('!')} ${event.id}  ${event.text}`
          : `  ${event.id}  ${event.text}`;
      case 'finished':
        return `${c.green('+')} ${event.id}  done in ${formatSeconds(event.seconds)}`;
      case 'failed':
        return `${c.red('x')} ${event.id}  failed after ${formatSeconds(event.seconds)}: ${event.text.split('\n', 1)[0]}`;
      case 'interrupted':
        return `${c.yellow('-')} ${event.id}  interrupted`;
      // The summary lists what a failure blocks.
      case 'blocked':
      case 'run-started':
      case 'run-finished':
      case 'metrics':
        return null;
    }
  }
}
