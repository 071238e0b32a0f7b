import { listSome } from '../../base/text.ts';
import { toOneLine } from './print.ts';

/** `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`: the longer, the coarser. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** As {@link formatSeconds}, but without digits that only flicker: `42 s`, `1 min 42 s`, `3 min`, `2 h 07 min`, `5.3 days`. */
export function formatLeft(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds >= 2 * 86_400) return formatAbout(seconds);
  const text = formatSeconds(seconds);
  return seconds < 120 || seconds >= 3600 ? text : text.replace(/ \d\d s$/, '');
}

/** `20 h 00 min (60 h 00 min in all attempts)`. */
export function formatDone(one: { readonly seconds: number; readonly totalSeconds?: number }): string {
  const { seconds, totalSeconds } = one;
  const total = totalSeconds === undefined ? '' : ` (${formatSeconds(totalSeconds)} in all attempts)`;
  return `${formatSeconds(seconds)}${total}`;
}

/** ` after 42 s`; nothing for what never ran, or nobody knows for how long. */
export function describeAfter(seconds: number): string {
  return seconds > 0 ? ` after ${formatSeconds(seconds)}` : '';
}

/** `9 minutes`, `5.2 hours`, `8.3 days`, for durations that are only estimated: two digits at most, unless there are hundreds. */
export function formatAbout(seconds: number): string {
  const units = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const;
  const [unitSeconds, name] = units.find(([size]) => seconds >= 1.95 * size) ?? [1, 'second'];
  const value = seconds / unitSeconds;
  const shown = value < 9.95 ? Number(value.toFixed(1)) : Math.round(value);
  return `${shown} ${name}${shown === 1 ? '' : 's'}`;
}

/** Four significant digits, without an exponent for everyday sizes. */
export function formatFigure(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(3);
}

/** `train ×4` for several instances of a stage, the instance's id for a single one; in the given order. */
export function foldInstances(ids: readonly string[]): string[] {
  const counts = new Map<string, string[]>();
  for (const id of ids) {
    const stage = id.split('@', 1)[0] ?? id;
    counts.set(stage, [...(counts.get(stage) ?? []), id]);
  }
  return [...counts].map(([stage, members]) =>
    members.length === 1 ? (members[0] ?? stage) : `${stage} ×${members.length}`,
  );
}

/** `train ×4, report`, safe for a terminal; where there are many stages, `a, b, c, d, e and 995 more`. */
export function nameInstances(ids: readonly string[]): string {
  return listSome(foldInstances(ids).map(toOneLine));
}
