import { isDeepStrictEqual } from 'node:util';
import { listSome } from '../../base/text.ts';
import { nameSetting } from '../../results/run-file.ts';
import { type Baseline, type FramesFacts, nameData, type RunFacts } from './baseline.ts';
import { listAll, listDiffering, pairValues } from './digits.ts';
import {
  type BaselineFinding,
  compareValue,
  fail,
  measure,
  measureParts,
  note,
  type Pair,
  type RuleOutcome,
  skip,
} from './finding.ts';

type Frames = Pick<Baseline, 'dataset' | 'simulated' | 'frames'>;

/** Whether the frames are the same to the byte, and if not, whether it shows in the counts of clips and events. */
export function judgeFrames(before: Frames, now: Frames): BaselineFinding[] {
  const rule = 'frames';
  if (before.dataset !== now.dataset || before.simulated !== now.simulated)
    return [
      { rule, subject: 'data set', ...fail(`${nameData(now)}, but the baseline is of ${nameData(before)}`) },
    ];
  return [
    { rule, subject: 'training frames', ...judgeSplit(before.frames.train, now.frames.train) },
    { rule, subject: 'test frames', ...judgeSplit(before.frames.test, now.frames.test) },
  ];
}

function judgeSplit(before: FramesFacts, now: FramesFacts): RuleOutcome {
  const isSame = before.sha256 === now.sha256;
  const [old, fresh] = [describeFrames(before), describeFrames(now)];
  if (isSame && before.list !== now.list)
    return fail('the same counts, but clips.json gives them other recordings or classes');
  if (isSame && old === fresh) return measure(0, `${fresh}: the same to the byte, with the same classes`);
  const swapped = areSwapped(before, now) ? '. The two polarities are swapped' : '';
  return fail(
    old === fresh
      ? 'as many clips and events, but with other content'
      : `${fresh}; in the baseline ${old}${swapped}`,
  );
}

function areSwapped({ events: before }: FramesFacts, { events: now }: FramesFacts): boolean {
  if (before === null || now === null) return false;
  return before.off !== before.on && before.off === now.on && before.on === now.off;
}

function describeFrames({ clips, events }: FramesFacts): string {
  return events === null ? `${clips} clips` : `${clips} clips, ${events.off} off and ${events.on} on events`;
}

/** Further differing settings are only counted. */
const shownAtMost = 4;

/** Whether a run was trained with the settings of the baseline, except the number of epochs. Only then can the rest be compared. */
export function judgeSettings({ before, now }: Pair): RuleOutcome {
  const differences = listSettingDifferences(before.settings, now.settings);
  if (differences.length === 0) return measure(0, 'the same');
  const texts = differences.map(({ what, before, now }) => `${what}: ${before} → ${now}`);
  return fail(listSome(texts, shownAtMost));
}

/** For each setting that differs, by name: its values as JSON. */
export function listSettingDifferences(
  before: { readonly [key: string]: unknown },
  now: { readonly [key: string]: unknown },
): { readonly what: string; readonly before: string; readonly now: string }[] {
  const show = (value: unknown) => (value === undefined ? 'unset' : JSON.stringify(value));
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .sort()
    .filter((key) => !isDeepStrictEqual(before[key], now[key]))
    .map((key) => ({ what: nameSetting(key), before: show(before[key]), now: show(now[key]) }));
}

/**
 * The same engine must give exactly the same numbers, in all digits that a baseline keeps; another may, such as a later build with the same
 * arithmetic. With the same engine, it notices every change of the arithmetic, even one that hardly affects the results, such as another schedule of the learning
 * rate or another choice of the epoch.
 */
export function judgeSameDigits({ before, now }: Pair): RuleOutcome {
  const obstacle = findObstacle(before, now);
  const shared = pairValues(listAll(before, now), listAll(now, before));
  const differing = listDiffering(shared);
  const [first] = differing;
  if (first === undefined) {
    const by = now.engine === before.engine ? '' : `, though by another engine, ${now.engine}`;
    return measure(shared.length === 0 ? Number.NaN : 0, `${shared.length} values: equal${by}`);
  }
  if (obstacle !== null) return skip(obstacle);
  return fail(
    `${differing.length} of ${shared.length} values differ, the first of them: ${first.name} ${first.value}, ${first.expected} in the baseline; the same engine must give the same`,
  );
}

/** Why values need not be equal; null if they must be. */
function findObstacle(before: RunFacts, now: RunFacts): string | null {
  if (now.engine !== before.engine)
    return `another engine, ${now.engine}; the baseline's is ${before.engine}, so tolerances apply`;
  if (/ cuda /.test(now.engine)) return 'a GPU adds in no fixed order, so tolerances apply';
  return now.engine === 'unknown' ? 'the engine is not known, so tolerances apply' : null;
}

/** The schedule does not depend on the engine: only the last of the seven digits that are kept may differ. */
const rateTolerance = { absolute: 0, relative: 1e-6 };

/** The learning rates of the epochs that both have. */
export function judgeLearningRate({ before, now }: Pair): RuleOutcome {
  const parts = now.layers.flatMap(({ epoch, learningRate }) => {
    const other = before.layers.find((one) => one.epoch === epoch);
    return other === undefined
      ? []
      : [compareValue(`epoch ${epoch}`, other.learningRate, learningRate, rateTolerance)];
  });
  return measureParts('epochs', parts);
}

/** The share of the test clips that another engine may answer otherwise with the same weights. */
const allowedShare = 0.03;

/**
 * Whether the evaluated epoch is the one that the recorded accuracies demand, and whether the evaluation found it as good as the training did.
 * This needs no baseline and holds on every engine. Another epoch than the baseline's is only noted.
 */
export function judgeChosenEpoch({ before, now }: Pair): RuleOutcome {
  const { chosenEpoch, preferredEpoch } = now;
  if (preferredEpoch === null) return skip('the training recorded no accuracies to choose by');
  if (chosenEpoch !== preferredEpoch) {
    return fail(
      `epoch ${chosenEpoch} was evaluated, but by the recorded accuracies it has to be epoch ${preferredEpoch} (compat.selection: ${String(now.settings['compat.selection'])})`,
    );
  }
  const { text, isGood } = compareWithTraining(now);
  if (!isGood) return fail(text);
  return now.epochs === before.epochs && before.chosenEpoch !== chosenEpoch
    ? note(`epoch ${chosenEpoch}, in the baseline ${before.chosenEpoch}; ${text}`)
    : measure(0, `epoch ${chosenEpoch}, as the recorded accuracies demand; ${text}`);
}

/** Whether the evaluation has as many test clips right as the training had after the same epoch. */
function compareWithTraining(run: RunFacts): { readonly text: string; readonly isGood: boolean } {
  const { clips, wrong } = run.test;
  const right = clips - wrong.length;
  if (run.rightInTraining === null)
    return { text: 'the training did not test after this epoch', isGood: true };
  const isSame = run.evaluationEngine === run.engine;
  const allowed = isSame ? 0 : Math.max(1, Math.floor(allowedShare * clips));
  const isGood = Math.abs(right - run.rightInTraining) <= allowed;
  const text = `the evaluation has ${right} of ${clips} test clips right, the training had ${run.rightInTraining}`;
  return { text: isGood ? text : `${text} with the same weights, allowed ±${allowed}`, isGood };
}
