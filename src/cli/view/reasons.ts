import type { StaleReason } from '../../runner/freshness/stale-reason.ts';

/** How many reasons to show in a line of a run; `repro status` lists them all. */
const shownReasons = 3;

/** `train.epochs: 12 → 8; src/… changed; and 4 more`: the first few reasons, parameters and inputs before code. */
export function describeReasons(reasons: readonly StaleReason[]): string {
  const weight = (reason: StaleReason): number => (reason.cue === 'code' || reason.cue === 'package' ? 1 : 0);
  const sorted = [...reasons].sort((a, b) => weight(a) - weight(b));
  const shown = sorted.slice(0, shownReasons).map((reason) => reason.text);
  const rest = sorted.length - shown.length;
  return rest === 0 ? shown.join('; ') : `${shown.join('; ')}; and ${rest} more`;
}
