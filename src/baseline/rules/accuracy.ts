import { binomialUpperTail } from '../../stats/binomial.ts';
import { holmAdjust } from '../../stats/holm.ts';
import { nameRun, type RunFacts } from '../baseline.ts';
import { type Finding, judgeSize, skip } from '../finding.ts';
import type { Pair } from './pair.ts';

/** How often the rule raises an alarm over all models and seeds together if none got worse. */
export const ACCURACY_ALARM_RATE = 0.01;

/**
 * Whether the answers to the test clips got worse: the exact McNemar test, one-sided, for each model and seed, with Holm's correction. If
 * both networks were equally good, each clip that only one of them gets right would be a coin toss.
 *
 * @see McNemar 1947, Psychometrika 12, 153-157; Holm 1979, Scand. J. Stat. 6, 65-70
 */
export function judgeAccuracy(pairs: readonly Pair[]): Finding[] {
  const comparable = pairs.filter((pair) => findObstacle(pair) === null);
  const changes = comparable.map(({ before, now }) => countChanges(before.test.wrong, now.test.wrong));
  const adjusted = holmAdjust(changes.map(({ lost, gained }) => chanceOf(lost, gained)));
  return pairs.map((pair) => {
    const subject = nameRun(pair.now);
    const at = comparable.indexOf(pair);
    if (at === -1) return skip('accuracy', subject, findObstacle(pair) ?? '');
    const { lost, gained } = changes[at]!;
    const { clips } = pair.now.test;
    const right = (run: RunFacts) => clips - run.test.wrong.length;
    const needed = fewestLost(gained, ACCURACY_ALARM_RATE / comparable.length, clips);
    const text = [
      `${right(pair.now)} of ${clips} test clips right, ${right(pair.before)} in the baseline`,
      lost + gained === 0
        ? 'the same clips'
        : `${lost} lost and ${gained} gained, p = ${formatChance(adjusted[at]!)}`,
      `fails if p ≤ ${formatChance(ACCURACY_ALARM_RATE)} over all runs, ${needed === null ? 'for which there are too few clips' : `at the latest with ${needed} lost (${formatPoints((needed - gained) / clips)})`}`,
    ].join('; ');
    return judgeSize('accuracy', subject, sizeOf(adjusted[at]!), text);
  });
}

/** Why the accuracies cannot be compared; null if they can. */
function findObstacle({ before, now }: Pair): string | null {
  if (now.epochs !== before.epochs) {
    return `not judged after ${now.epochs} ${now.epochs === 1 ? 'epoch' : 'epochs'}: the baseline has that of ${before.epochs}`;
  }
  if (now.test.list !== before.test.list)
    return 'not judged: these are other test clips than those of the baseline';
  return null;
}

/** Clips that only the baseline got right, and only this run. */
function countChanges(before: readonly number[], now: readonly number[]): { lost: number; gained: number } {
  const [wrongBefore, wrongNow] = [new Set(before), new Set(now)];
  return {
    lost: now.filter((clip) => !wrongBefore.has(clip)).length,
    gained: before.filter((clip) => !wrongNow.has(clip)).length,
  };
}

/** P(at least so many of the differing clips are lost) if each were a coin toss. */
function chanceOf(lost: number, gained: number): number {
  return lost === 0 ? 1 : binomialUpperTail(lost, lost + gained, 0.5);
}

/** The fewest lost clips with a chance of at most `level` if so many are gained; null if there are not that many. */
export function fewestLost(gained: number, level: number, clips: number): number | null {
  for (let lost = gained + 1; lost + gained <= clips; lost++) {
    if (chanceOf(lost, gained) <= level) return lost;
  }
  return null;
}

/** 1 at the level, more below it, 0 for certainty that nothing got worse; on a logarithmic scale. */
function sizeOf(chance: number): number {
  if (chance <= ACCURACY_ALARM_RATE)
    return Math.max(1 + Number.EPSILON, Math.log(Math.max(chance, 1e-300)) / Math.log(ACCURACY_ALARM_RATE));
  return Math.log(chance) / Math.log(ACCURACY_ALARM_RATE);
}

function formatPoints(share: number): string {
  return `${(100 * share).toFixed(1)} points`;
}

function formatChance(chance: number): string {
  return chance >= 0.001 ? String(Number(chance.toPrecision(2))) : chance.toExponential(0);
}
