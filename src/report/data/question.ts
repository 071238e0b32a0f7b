import {
  type Cells,
  type Contrast,
  DIFFERENCE_LEVEL,
  isWithinMargin,
  measureContrasts,
} from '../../verdicts/contrasts.ts';
import type { ArmVerdict } from '../../verdicts/verdicts.ts';
import { formatQuantity, spellQuantity } from './format.ts';
import type { ClipAnswer, ModelResult, Results } from './results.ts';

/** `report.question` of a profile: what it was made to find out, stated before its runs. */
export interface QuestionSettings {
  readonly text?: string;
  /** A model of the profile; the others are the arms. */
  readonly baseline: string;
  /** By arm, another baseline. */
  readonly against?: Readonly<Record<string, string>>;
  /** A share: smaller differences of test accuracy do not matter. */
  readonly margin: number;
  /** A second endpoint: the accuracy on the test clips of some classes. */
  readonly second?: {
    /** Which clips these are, in words that follow "on". */
    readonly text: string;
    /** Names. */
    readonly classes: readonly string[];
    readonly margin: number;
  };
}

/** The answer of a run to its question, for one endpoint. */
export interface Endpoint {
  readonly baseline: ModelResult;
  readonly margin: number;
  /** Whom the test clips are of; null if the data set has no users, so that each clip stands for itself. */
  readonly users: number | null;
  /** In the profile's order. */
  readonly arms: readonly QuestionArm[];
}

/** The answer of a run to its question. */
export interface Question extends Endpoint {
  readonly text: string;
  /** Null if the profile states none. Its models have only the clips of these classes, by index. */
  readonly second: (Endpoint & { readonly text: string; readonly classes: readonly number[] }) | null;
}

/**
 * How much more accurate a model is than its baseline, on the test clips at the chosen epochs: a share. Its certainty is null also if all users
 * differ by the same.
 */
export interface QuestionArm extends Contrast {
  readonly model: ModelResult;
  /** The question's, unless the profile names another one. */
  readonly baseline: ModelResult;
  readonly verdict: ArmVerdict;
}

/**
 * Compares each arm with the baseline, clip by clip and seed by seed, for other seeds and other users: {@link measureContrasts}. Seeds may be tested
 * on different users, as with folds. Without users, clips are drawn independently.
 *
 * @param settings null or absent if the profile asks nothing
 * @returns null then, and if the baseline is the only model
 * @throws {RangeError} if a baseline is not among the models
 */
export function answerQuestion(
  { models, classes = [] }: Pick<Results, 'models'> & Partial<Pick<Results, 'classes'>>,
  settings: QuestionSettings | null | undefined,
): Question | null {
  if (!settings || models.every(({ id }) => id === settings.baseline)) return null;
  const { text = 'Does the accuracy differ?', second } = settings;
  const first = { text, ...compareArms(models, settings) };
  if (!second) return { ...first, second: null };
  const labels = second.classes.map((name) => classes.indexOf(name));
  const some = models.map((model) => keepClasses(model, labels));
  const endpoint = compareArms(some, { ...settings, margin: second.margin });
  return { ...first, second: { text: second.text, classes: labels, ...endpoint } };
}

/** A model with only its answers to clips of these classes. */
function keepClasses(model: ModelResult, labels: readonly number[]): ModelResult {
  const runs = model.runs.map((run) => ({
    ...run,
    answers: run.answers.filter((answer) => labels.includes(answer.class)),
  }));
  return { ...model, runs };
}

function compareArms(
  models: readonly ModelResult[],
  { baseline: id, against = {}, margin }: QuestionSettings,
): Endpoint {
  const find = (wanted: string): ModelResult => {
    const found = models.find((model) => model.id === wanted);
    if (found === undefined) throw new RangeError(`report.question: ${wanted} is not among the models`);
    return found;
  };
  const arms = models
    .filter((model) => model.id !== id)
    .map((model) => ({ model, baseline: find(against[model.id] ?? id) }));
  const groups = groupByUser(find(id));
  const contrasts = measureContrasts(
    arms.map(({ model, baseline }) => subtractByUser(model, baseline, groups)),
    { margin, largest: 1 },
  );
  return {
    ...{ baseline: find(id), margin, users: groups.users },
    arms: arms.map((arm, index): QuestionArm => {
      const contrast = contrasts[index]!;
      return { ...arm, ...contrast, verdict: judgeArm(contrast, margin) };
    }),
  };
}

/** The baselines of some arms, for a sentence about them. */
export function nameBaselines(arms: readonly QuestionArm[]): string {
  const titles = new Set(arms.map(({ baseline }) => baseline.title));
  return titles.size === 1 ? [...titles].join() : 'the models that they are compared with';
}

function judgeArm({ certainty }: Contrast, margin: number): ArmVerdict {
  if (certainty === null) return 'undecided';
  if (certainty.adjusted <= DIFFERENCE_LEVEL) return 'different';
  return isWithinMargin(certainty, margin) ? 'equivalent' : 'undecided';
}

/**
 * Which test clips each run answered right, a row for each clip: `clip,user,class`, then a column `<model>@<seed>` for each run. 1 is right and 0
 * wrong; null where the run did not test the clip, as with folds.
 */
export function tabulateAnswers({ models }: Pick<Results, 'models'>): (string | number | null)[][] {
  const runs = models.flatMap((model) =>
    model.runs.map(({ seed, answers }) => ({
      name: `${model.id}@${seed}`,
      answers: new Map(answers.map((answer) => [answer.clip, answer])),
    })),
  );
  const clips = new Map(runs.flatMap(({ answers }) => [...answers]));
  return [
    ['clip', 'user', 'class', ...runs.map(({ name }) => name)],
    ...[...clips.values()]
      .sort((a, b) => a.clip - b.clip)
      .map(({ clip, user, class: label }) => [
        ...[clip, user, label],
        ...runs.map(({ answers }) => {
          const answer = answers.get(clip);
          return answer === undefined ? null : Number(answer.right);
        }),
      ]),
  ];
}

/** Test clips by their users. */
interface Groups {
  /** The index of each user, by number, or of each clip. */
  readonly places: ReadonlyMap<number, number>;
  /** [seeds, users]: how many clips of the user are tested with the seed. */
  readonly counts: readonly (readonly number[])[];
  /** null if the data set has no users. */
  readonly users: number | null;
}

/** @param model any: with one seed, all models are tested on the same clips */
export function groupByUser({ runs }: Pick<ModelResult, 'runs'>): Groups {
  const answers = runs.flatMap((run) => run.answers);
  const hasUsers = answers.every(({ user }) => user !== null);
  const keys = new Set(answers.map(({ user, clip }) => (hasUsers ? user! : clip)));
  const places = new Map([...keys].map((key, place) => [key, place]));
  const groups = { places, counts: [], users: hasUsers ? places.size : null };
  return { ...groups, counts: runs.map((run) => tally(run.answers, groups, () => 1)) };
}

/** How many clips of each user are right. */
export function sumByUser(answers: readonly ClipAnswer[], groups: Groups): number[] {
  return tally(answers, groups, ({ right }) => Number(right));
}

function tally(
  answers: readonly ClipAnswer[],
  { places, users }: Groups,
  value: (answer: ClipAnswer) => number,
): number[] {
  const sums = new Array<number>(places.size).fill(0);
  for (const answer of answers)
    sums[places.get(users === null ? answer.clip : answer.user!)!]! += value(answer);
  return sums;
}

/** By how many clips a model is better than another, by seed and user. @param groups of either: both are tested on the same clips */
function subtractByUser(model: ModelResult, other: ModelResult, groups: Groups): Cells {
  const sums = model.runs.map(({ answers }, seed) => {
    const theirs = sumByUser(other.runs[seed]?.answers ?? [], groups);
    return sumByUser(answers, groups).map((sum, user) => sum - theirs[user]!);
  });
  return { sums, counts: groups.counts };
}

/** How much more accurate models are than a first one, on the test clips at the chosen epochs. */
export interface ModelContrasts {
  readonly first: ModelResult;
  readonly others: readonly { readonly model: ModelResult; readonly contrast: Contrast }[];
  /** What they were measured over: `five seeds and six users`. */
  readonly design: string;
}

/**
 * Compares models with a first one as {@link answerQuestion} does; with one seed, for these trainings and other users.
 *
 * @param margin a share, 0 if any difference matters
 */
export function contrastModels(
  first: ModelResult,
  models: readonly ModelResult[],
  margin = 0,
): ModelContrasts {
  const groups = groupByUser(first);
  const fixed = first.runs.length === 1 ? 'seeds' : undefined;
  const cells = models.map((model) => subtractByUser(model, first, groups));
  const contrasts = measureContrasts(cells, { margin, largest: 1, fixed });
  const people =
    groups.users === null ? formatQuantity(groups.places.size, 'clip') : spellQuantity(groups.users, 'user');
  const design = fixed
    ? `${people}, for these trainings`
    : `${spellQuantity(first.runs.length, 'seed')} and ${people}`;
  return { first, others: models.map((model, i) => ({ model, contrast: contrasts[i]! })), design };
}
