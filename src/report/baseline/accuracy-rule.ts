import { formatCount } from '../../base/text.ts';
import { fewestLost, holmAdjust, mcnemarOneSided, signFlipTest } from '../../verdicts/stats/p-values.ts';
import { nameRun } from './baseline.ts';
import { type BaselineFinding, fail, measure, note, type Pair, type RuleOutcome, skip } from './finding.ts';

/**
 * How often the rule raises an alarm, over all runs, if none got worse and clips differ independently of one another. Clips of one person may
 * not: docs/check.md says what becomes of the rate then.
 */
export const ACCURACY_ALARM_RATE = 0.01;

/**
 * Whether the answers to the test clips got worse, in a run or in all together. A gain that chance does not explain is noted: test clips may
 * have been trained on, or the epoch chosen by them.
 */
export function checkAccuracy(pairs: readonly Pair[]): BaselineFinding[] {
  const comparable = pairs.filter(
    ({ before, now }) => now.epochs === before.epochs && now.test.list === before.test.list,
  );
  const { runs, joint, level } = compareAnswers(
    comparable.map(({ before, now }) => ({ before: before.test.wrong, now: now.test.wrong })),
    ACCURACY_ALARM_RATE,
  );
  const findings = pairs.map((pair): BaselineFinding => {
    const change = runs[comparable.indexOf(pair)];
    const outcome =
      change === undefined ? refuse(pair) : judgeRun(pair, change, level / comparable.length, level);
    return { rule: 'accuracy', subject: nameRun(pair.now), ...outcome };
  });
  if (joint === null) return findings;
  const answers = comparable.reduce((sum, { now }) => sum + now.test.clips, 0);
  const text = `${joint.lost} lost and ${joint.gained} gained in ${comparable.length} runs, ${formatPoints((joint.gained - joint.lost) / answers)}${describeChance(joint)}; fails if p ≤ ${level} (sign-flip test of the clips' sums)`;
  return [...findings, { rule: 'accuracy', subject: 'all runs', ...judgeChange(joint, level, text) }];
}

/** Other test clips under the same settings are an error. After another number of epochs, there is nothing to compare with. */
function refuse({ before, now }: Pair): RuleOutcome {
  if (now.test.list !== before.test.list)
    return fail('predictions.csv has other test clips or classes than the baseline, under the same settings');
  return skip(
    `not judged after ${formatCount(now.epochs, 'epoch')}: the baseline was trained for ${formatCount(before.epochs, 'epoch')}`,
  );
}

/** @param each the level that a single loss needs at the latest, when all runs are counted */
function judgeRun({ before, now }: Pair, change: AnswerChange, each: number, level: number): RuleOutcome {
  const { clips } = now.test;
  const [right, rightBefore] = [now, before].map((run) => clips - run.test.wrong.length) as [number, number];
  const { lost, gained } = change;
  const needed = fewestLost(gained, each, rightBefore);
  const limit =
    needed === null
      ? `but losing all ${rightBefore} would not be enough`
      : `at the latest with ${needed} lost and ${gained} gained (${formatPoints((gained - needed) / clips)})`;
  const text = [
    `${right} of ${clips} test clips right, ${rightBefore} in the baseline`,
    lost + gained === 0 ? 'the same clips' : `${lost} lost and ${gained} gained${describeChance(change)}`,
    `fails if p ≤ ${level} over all runs, ${limit}`,
  ].join('; ');
  return judgeChange(change, level, text);
}

function judgeChange({ pLoss, pGain }: AnswerChange, level: number, text: string): RuleOutcome {
  if (pGain > level) return measure(sizeOf(pLoss, level), text);
  const advice =
    'This is more than chance explains: check that the test clips were not trained on and did not choose the epoch';
  return note(`${text}. A gain with p = ${formatChance(pGain)}. ${advice}`);
}

function describeChance({ lost, gained, pLoss }: AnswerChange): string {
  return lost + gained === 0 ? '' : `, p = ${formatChance(pLoss)} if clips differ independently`;
}

/** 1 at the level, more below it, 0 for certainty that nothing got worse; on a logarithmic scale. */
function sizeOf(chance: number, level: number): number {
  const size = Math.log(Math.max(chance, 1e-300)) / Math.log(level);
  return chance <= level ? Math.max(1 + Number.EPSILON, size) : size;
}

function formatPoints(share: number): string {
  const points = (100 * Math.abs(share)).toFixed(1);
  return points === '0.0' ? '0.0 points' : `${share < 0 ? '−' : '+'}${points} points`;
}

function formatChance(chance: number): string {
  return chance >= 0.001 ? String(Number(chance.toPrecision(2))) : chance.toExponential(0);
}

/** The rows of the test clips that two runs of one model and seed answered wrong. */
export interface WrongClips {
  readonly before: readonly number[];
  readonly now: readonly number[];
}

/** What changed in the answers of one run. */
interface AnswerChange {
  readonly lost: number;
  readonly gained: number;
  /** One-sided, corrected for the number of runs (Holm). */
  readonly pLoss: number;
  readonly pGain: number;
}

/** What changed in the answers of several runs. */
interface AnswerChanges {
  readonly runs: readonly AnswerChange[];
  /** Of all together; null for a single run. */
  readonly joint: AnswerChange | null;
  /** p up to which each of the two tests, or the only one, counts. */
  readonly level: number;
}

/**
 * Whether test clips were lost, or gained, in single runs (McNemar's exact test, Holm's correction) or in all together (exact sign-flip test
 * of the sums over the runs, clip by clip).
 *
 * @param rate how often either of the tests may find a loss where there is none; halved between them
 */
export function compareAnswers(pairs: readonly WrongClips[], rate: number): AnswerChanges {
  const counts = pairs.map(countChanges);
  const losses = holmAdjust(counts.map(({ lost, gained }) => mcnemarOneSided(lost, gained)));
  const gains = holmAdjust(counts.map(({ lost, gained }) => mcnemarOneSided(gained, lost)));
  const runs = counts.map((count, at) => ({ ...count, pLoss: losses[at]!, pGain: gains[at]! }));
  if (pairs.length < 2) return { runs, joint: null, level: rate };
  const sums = [...sumByClip(pairs).values()];
  const joint = {
    lost: counts.reduce((sum, { lost }) => sum + lost, 0),
    gained: counts.reduce((sum, { gained }) => sum + gained, 0),
    pLoss: signFlipTest(sums),
    pGain: signFlipTest(sums.map((sum) => -sum)),
  };
  return { runs, joint, level: rate / 2 };
}

/** Clips that only the baseline got right, and only this run. */
function countChanges({ before, now }: WrongClips): { lost: number; gained: number } {
  const [wrongBefore, wrongNow] = [new Set(before), new Set(now)];
  return {
    lost: now.filter((clip) => !wrongBefore.has(clip)).length,
    gained: before.filter((clip) => !wrongNow.has(clip)).length,
  };
}

/** For each clip that was ever wrong: in how many runs it was lost, less in how many it was gained. */
function sumByClip(pairs: readonly WrongClips[]): Map<number, number> {
  const sums = new Map<number, number>();
  const add = (clip: number, change: number) => sums.set(clip, (sums.get(clip) ?? 0) + change);
  for (const { before, now } of pairs) {
    for (const clip of now) add(clip, 1);
    for (const clip of before) add(clip, -1);
  }
  return sums;
}
