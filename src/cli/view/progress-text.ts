import { formatSeconds } from './format.ts';
import { type InstanceView, rateOf } from './run-state.ts';
import { toOneLine } from './safe-text.ts';

const barCells = 16;

/** Partial blocks in eighths, so that slow progress is visible. */
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function drawBar(share: number): string {
  const filled = share * barCells;
  const whole = Math.floor(filled);
  const part = eighths[Math.floor((filled - whole) * 8)] ?? '';
  return `${'█'.repeat(whole)}${part}`.padEnd(barCells, '·');
}

/** `42 % · 3.1 batches/s · 40 s left`, as far as known; until there is a rate, `42 % · 12 s`. */
export function describeProgress(one: InstanceView, nowMs: number, withBar: boolean): string {
  const elapsedSeconds = (nowMs - one.startedMs) / 1000;
  if (one.progress === null) return formatSeconds(elapsedSeconds);
  const { done, total } = one.progress;
  const unit = toOneLine(one.progress.unit ?? '');
  const notes = one.progress.note === undefined ? [] : [toOneLine(one.progress.note)];
  // Without a known end there is no share; the note says how much is done.
  if (!(total > 0)) return [formatSeconds(elapsedSeconds), ...notes].join(' · ');
  const share = Math.min(1, Math.max(0, done / total));
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const parts = [withBar ? `${drawBar(share)} ${percent}` : percent];
  const rate = rateOf(one, nowMs);
  if (rate === null) {
    if (elapsedSeconds >= 1) parts.push(formatSeconds(elapsedSeconds));
  } else {
    parts.push(`${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} ${unit}/s`.replace(' /s', '/s'));
    if (done < total) parts.push(`${formatSeconds((total - done) / rate)} left`);
  }
  return [...parts, ...notes].join(' · ');
}
