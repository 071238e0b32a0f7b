import { isDeepStrictEqual } from 'node:util';
import { listSome } from '../../text.ts';
import { nameRun } from '../baseline.ts';
import { type Finding, judgeSize } from '../finding.ts';
import type { Pair } from './pair.ts';

/** More differing settings than this are counted only. */
const shownAtMost = 4;

/** Whether a run was trained with the settings of the baseline; only then, the rest can be compared. The number of epochs may differ. */
export function judgeSettings({ before, now }: Pair): Finding {
  const differences = listSettingDifferences(before.settings, now.settings);
  if (differences.length === 0) return judgeSize('settings', nameRun(now), 0, 'the same');
  return judgeSize('settings', nameRun(now), Number.POSITIVE_INFINITY, listSome(differences, shownAtMost));
}

/** `training.learningRate: 0.005 → 0.01` for each that differs, by name. */
export function listSettingDifferences(
  before: { readonly [key: string]: unknown },
  now: { readonly [key: string]: unknown },
): string[] {
  const show = (value: unknown) => (value === undefined ? 'unset' : JSON.stringify(value));
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .sort()
    .filter((key) => !isDeepStrictEqual(before[key], now[key]))
    .map((key) => `${key}: ${show(before[key])} → ${show(now[key])}`);
}
