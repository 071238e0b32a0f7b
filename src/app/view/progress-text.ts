import { formatLeft, formatSeconds } from './format.ts';
import { toOneLine } from './print.ts';
import { type InstanceView, rateOf, secondsLeftOf } from './run-state.ts';

const barCells = 16;

/** Partial blocks in eighths, so that slow progress is visible. */
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function drawBar(share: number): string {
  const filled = share * barCells;
  const whole = Math.floor(filled);
  const part = eighths[Math.floor((filled - whole) * 8)] ?? '';
  return `${'█'.repeat(whole)}${part}`.padEnd(barCells, '·');
}

/**
 * How much is shown, from the most room to the least. Left out in turn: bar and rate; the percentage, if the stage has a note; the note
 * except its first words; everything but the percentage.
 */
export const progressDetails = ['all', 'no-bar', 'no-percentage', 'first-words', 'percentage'] as const;

type ProgressDetail = (typeof progressDetails)[number];

/** Whether a line still has what another one leaves out. */
export function showsMore(detail: ProgressDetail, than: ProgressDetail): boolean {
  return progressDetails.indexOf(detail) < progressDetails.indexOf(than);
}

/** `40 s left` until it is done, and `3.1 batches/s`; nothing until there is a rate. */
export function describeSpeed(one: InstanceView, nowMs: number): string[] {
  const rate = rateOf(one, nowMs);
  const left = secondsLeftOf(one, nowMs);
  if (rate === null || left === null) return [];
  const unit = toOneLine(one.progress?.unit ?? '');
  const speed = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} ${unit}/s`.replace(' /s', '/s');
  return left > 0 ? [`${formatLeft(left)} left`, speed] : [speed];
}

/** `42 % · epoch 3/12 · loss 0.071 · 40 s left · 3.1 batches/s`, as far as known; until there is a rate, `42 % · 12 s`. */
export function describeProgress(one: InstanceView, nowMs: number, detail: ProgressDetail): string {
  const elapsedSeconds = (nowMs - one.startedMs) / 1000;
  if (one.progress === null) return formatSeconds(elapsedSeconds);
  const { done, total } = one.progress;
  const words = one.progress.note === undefined ? [] : toOneLine(one.progress.note).split(' · ');
  const notes = showsMore(detail, 'first-words') ? words : words.slice(0, 1);
  // Without a known end there is no share; the note says how much is done.
  if (!(total > 0)) return [...notes, formatSeconds(elapsedSeconds)].join(' · ');
  const share = Math.min(1, Math.max(0, done / total));
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  if (detail === 'percentage') return percent;
  const parts = showsMore(detail, 'no-percentage') || notes.length === 0 ? [percent, ...notes] : [...notes];
  const speed = describeSpeed(one, nowMs);
  if (speed.length > 0) parts.push(...(showsMore(detail, 'no-bar') ? speed : speed.slice(0, -1)));
  else if (elapsedSeconds >= 1) parts.push(formatSeconds(elapsedSeconds));
  return `${showsMore(detail, 'no-bar') ? `${drawBar(share)} ` : ''}${parts.join(' · ')}`;
}
