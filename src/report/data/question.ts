import { type AnswerTable, sumCells } from '../../verdicts/answers.ts';
import {
  type AnswerCells,
  type Contrast,
  compareWithMargin,
  measureContrasts,
  nameDesign,
} from '../../verdicts/contrasts.ts';
import { explainUnknown } from '../../verdicts/findings.ts';
import type { DifferenceVerdict } from '../../verdicts/verdicts.ts';
import type { ModelResult, Results } from './results.ts';

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
  readonly verdict: DifferenceVerdict;
  /** How many users have more clips right than with the baseline, over all seeds, and how many fewer; null without users. */
  readonly sides: { readonly more: number; readonly fewer: number } | null;
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
  const table = tableOf(models);
  const cells = arms.map((arm) => sumCells(table, seedsOf(arm.model), arm.model.id, arm.baseline.id));
  const contrasts = measureContrasts(cells, { margin, largest: 1 });
  return {
    ...{ baseline: find(id), margin, users: table.hasGroups ? cells[0]!.groups : null },
    arms: arms.map((arm, index): QuestionArm => {
      const contrast = contrasts[index]!;
      const sides = table.hasGroups ? countSides(cells[index]!) : null;
      return { ...arm, ...contrast, verdict: compareWithMargin(contrast, margin), sides };
    }),
  };
}

function countSides({ rows, groups }: AnswerCells) {
  const totals = new Float64Array(groups);
  for (const { at, sums } of rows) {
    for (const [i, group] of at.entries()) totals[group]! += sums[i]!;
  }
  return { more: totals.filter((sum) => sum > 0).length, fewer: totals.filter((sum) => sum < 0).length };
}

/** The baselines of some arms, for a sentence about them. */
export function nameBaselines(arms: readonly QuestionArm[]): string {
  const titles = new Set(arms.map(({ baseline }) => baseline.title));
  return titles.size === 1 ? [...titles].join() : 'the models that they are compared with';
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

/** The answers of models for verdicts: their test clips are the items, of users if the data set has them. */
export function tableOf(models: readonly ModelResult[]): AnswerTable {
  const answers = models.flatMap(({ runs }) => runs.flatMap((run) => run.answers));
  const hasGroups = answers.every(({ user }) => user !== null);
  return {
    ...{ isScore: false, hasGroups },
    groups: new Map(answers.map(({ clip, user }) => [`${clip}`, `${hasGroups ? user : clip}`])),
    arms: new Map(
      models.map(({ id, runs }) => [
        id,
        new Map(
          runs.map((run) => [
            `${run.seed}`,
            new Map(run.answers.map(({ clip, right }) => [`${clip}`, Number(right)])),
          ]),
        ),
      ]),
    ),
  };
}

export function seedsOf({ runs }: Pick<ModelResult, 'runs'>): string[] {
  return runs.map(({ seed }) => `${seed}`);
}

/** How much more accurate models are than a first one, on the test clips at the chosen epochs. */
export interface ModelContrasts {
  readonly first: ModelResult;
  readonly others: readonly { readonly model: ModelResult; readonly contrast: Contrast }[];
  /** What they were measured over: `five seeds and six users`. */
  readonly design: string;
  /** Why nothing says how far differences may be off, if that is so; a sentence. */
  readonly unknown: string;
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
  const table = tableOf([first, ...models]);
  const fixed = first.runs.length === 1 ? 'seeds' : undefined;
  const cells = models.map((model) => sumCells(table, seedsOf(first), model.id, first.id));
  const contrasts = measureContrasts(cells, { margin, largest: 1, fixed });
  const others = models.map((model, i) => ({ model, contrast: contrasts[i]! }));
  const unknown = explainUnknown('difference', cells[0]!, fixed, table.hasGroups ? 'user' : 'clip');
  return { first, others, unknown, design: nameDesign(cells[0]!, table.hasGroups) };
}
