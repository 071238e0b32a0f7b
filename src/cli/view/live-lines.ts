import cliTruncate from 'cli-truncate';
import type { Colors } from './colors.ts';
import { foldInstances, formatSeconds } from './format.ts';
import { type InstanceView, idsIn, type RunState } from './run-state.ts';

const barCells = 16;

/** Below this width, there is no bar, only the name and the percentage. */
const columnsForBar = 64;
/** Partial blocks in eighths, so that slow progress is visible. */
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function drawBar(share: number): string {
  const filled = Math.min(1, Math.max(0, share)) * barCells;
  const whole = Math.floor(filled);
  const part = eighths[Math.floor((filled - whole) * 8)] ?? '';
  return `${'█'.repeat(whole)}${part}`.padEnd(barCells, '·');
}

/** `42 % · 3.1 batches/s · 40 s left`, as far as known. */
function describeProgress(one: InstanceView, elapsedSeconds: number, withBar: boolean): string {
  if (one.progress === null) return formatSeconds(elapsedSeconds);
  const { done, total, unit, note } = one.progress;
  // Without a known end there is no share; the note says how much is done.
  if (total <= 0) return [formatSeconds(elapsedSeconds), ...(note === undefined ? [] : [note])].join(' · ');
  const share = done / total;
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const parts = [withBar ? `${drawBar(share)} ${percent}` : percent];
  if (done > 0 && elapsedSeconds >= 1) {
    const rate = done / elapsedSeconds;
    parts.push(`${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} ${unit ?? ''}/s`.replace(' /s', '/s'));
    if (done < total) parts.push(`${formatSeconds((total - done) / rate)} left`);
  }
  if (note !== undefined) parts.push(note);
  return parts.join(' · ');
}

/**
 * The part of the live view that is redrawn: one line per running instance, and one that counts those waiting.
 * Every line fits `columns`, and there are at most `rows` lines, so that 200 running stages do not scroll a small terminal.
 */
export function renderLive(
  state: RunState,
  options: {
    readonly columns: number;
    readonly rows: number;
    readonly nowMs: number;
    readonly colors: Colors;
  },
): string[] {
  const { columns, colors, nowMs } = options;
  const running = [...state.instances.values()].filter((one) => one.state === 'running');
  const shown = running.slice(0, Math.max(1, options.rows - 2));
  const withBar = columns >= columnsForBar;
  const widest = withBar ? Math.floor(columns / 3) : Math.floor(columns / 2);
  const width = Math.min(Math.max(0, ...shown.map((one) => one.id.length)), widest);
  const lines = shown.map((one) => {
    const elapsedSeconds = (nowMs - one.startedMs) / 1000;
    const name = cliTruncate(one.id, Math.max(1, width), { position: 'middle' }).padEnd(width);
    return `${colors.cyan('●')} ${name}  ${describeProgress(one, elapsedSeconds, withBar)}`;
  });
  if (running.length > shown.length) lines.push(`  and ${running.length - shown.length} more running`);
  const waiting = idsIn(state, 'waiting');
  if (waiting.length > 0) {
    lines.push(colors.dim(`○ ${waiting.length} to go: ${foldInstances(waiting).join(', ')}`));
  }
  return lines.map((line) => cliTruncate(line, Math.max(1, columns - 1)));
}
