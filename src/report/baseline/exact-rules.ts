import { isDeepStrictEqual } from 'node:util';
import { listSome } from '../../base/text.ts';
import { nameSetting } from '../../results/run-file.ts';
import { type Baseline, type FramesFacts, nameData, nameLayer, type RunFacts } from './baseline.ts';
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
  const old = new Map(listAll(before, now).map(({ name, value }) => [name, value]));
  const shared = listAll(now, before).filter(({ name }) => old.has(name));
  const differing = shared.filter(({ name, value }) => value !== old.get(name));
  const [first] = differing;
  if (first === undefined) {
    const by = now.engine === before.engine ? '' : `, though by another engine, ${now.engine}`;
    return measure(shared.length === 0 ? Number.NaN : 0, `${shared.length} values: equal${by}`);
  }
  if (obstacle !== null) return skip(obstacle);
  return fail(
    `${differing.length} of ${shared.length} values differ, the first of them: ${first.name} ${first.value}, ${old.get(first.name)} in the baseline; the same engine must give the same`,
  );
}

/** Why values need not be equal; null if they must be. */
function findObstacle(before: RunFacts, now: RunFacts): string | null {
  if (now.engine !== before.engine)
    return `another engine, ${now.engine}; the baseline's is ${before.engine}, so tolerances apply`;
  if (/ cuda /.test(now.engine)) return 'a GPU adds in no fixed order, so tolerances apply';
  return now.engine === 'unknown' ? 'the engine is not known, so tolerances apply' : null;
}

/** The values of a run; those of its end only if the other has as many epochs. */
function listAll(
  run: RunFacts,
  other: RunFacts,
): { readonly name: string; readonly value: number | string }[] {
  const values: { name: string; value: number | string }[] = [...listValues(run)];
  if (run.epochs !== other.epochs) return values;
  values.push({ name: 'chosen epoch', value: run.chosenEpoch });
  if (run.engine === other.engine && run.evaluationEngine !== other.evaluationEngine) return values;
  return [...values, ...Object.entries(describeAnswers(run)).map(([name, value]) => ({ name, value }))];
}

/** The numbers of a training in the order in which they arose, so that the first that differs is the nearest to the cause. */
function listValues(run: RunFacts): { readonly name: string; readonly value: number }[] {
  const values: { name: string; value: number }[] = [];
  const add = (name: string, value: number) => values.push({ name, value });
  for (const { batch, loss, spikeRates } of run.firstBatches) {
    for (const [layer, rate] of spikeRates.entries())
      add(`spike rate of ${nameLayer(layer)}, batch ${batch}`, rate);
    add(`loss of batch ${batch}`, loss);
  }
  for (const [at, loss] of run.trainLosses.entries()) {
    const epoch = at + 1;
    const kept = run.layers.find((one) => one.epoch === epoch);
    if (kept !== undefined) add(`learning rate of epoch ${epoch}`, kept.learningRate);
    add(`loss of epoch ${epoch}`, loss);
    for (const [what, measures] of [
      ['spike rate', kept?.spikeRates],
      ['mean τ', kept?.tauMeans],
      ['σ(τ)', kept?.tauStds],
    ] as const)
      for (const [layer, value] of (measures ?? []).entries())
        add(`${what} of ${nameLayer(layer)}, epoch ${epoch}`, value);
  }
  return values;
}

/** Which test clips a run answered wrong, how many right after each step, with frames in other orders and with other τ, and at what cost. */
function describeAnswers({
  test: { wrong, correctByStep, correctByOrder = {}, correctByTau = {}, cost },
}: RunFacts): Readonly<Record<string, string>> {
  return {
    'wrong test clips': wrong.join(', ') || 'none',
    'right after each step': correctByStep.join(', '),
    ...Object.fromEntries(
      Object.entries(correctByOrder).map(([order, correct]) => [`right with frames ${order}`, `${correct}`]),
    ),
    ...Object.fromEntries(
      Object.entries(correctByTau).map(([change, correct]) => [`right with τ ${change}`, correct.join(', ')]),
    ),
    ...Object.fromEntries(Object.entries(cost).map(([name, value]) => [`cost: ${name}`, `${value}`])),
  };
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
