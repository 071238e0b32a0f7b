import type { TestAnswer } from '../../results/predictions.ts';
import type { ResultFile } from '../../results/result-file.ts';
import { nameSetting, readSettings } from '../../results/run-file.ts';
import { sumCells } from '../../verdicts/answers.ts';
import { type Certainty, measureContrasts, nameDesign } from '../../verdicts/contrasts.ts';
import { holmAdjust } from '../../verdicts/stats/p-values.ts';

/** What is known of one trained and evaluated network. */
export interface RunResults {
  readonly model: string;
  readonly seed: string;
  /** null if no longer kept. */
  readonly settings: Settings | null;
  readonly answers: ClipAnswers | null;
  /** What the stages measured, such as `evaluate.testAccuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Identifies the run: the fingerprint of its evaluation. */
  readonly run: string;
  readonly data: DataIdentity;
}

/** Settings in force, `train.epochs` -> JSON text. */
export type Settings = ReadonlyMap<string, string>;

interface SettingDifference {
  readonly name: string;
  /** JSON; null where it does not exist. */
  readonly a: string | null;
  readonly b: string | null;
}

/** What run.json says of how a network was made. */
const sections = ['dataset', 'simulated', 'frames', 'network', 'training', 'compat', 'split', 'engine'];

/** The settings that a training recorded in run.json, including those that only another version knows. */
export function settingsOf(run: ResultFile): Settings {
  return new Map(
    [...readSettings(run, sections)].map(([key, value]) => [nameSetting(key), JSON.stringify(value)]),
  );
}

/** In the order of the first, then what only the second has. */
export function diffSettings(a: Settings, b: Settings): SettingDifference[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((name) => {
    const [before, after] = [a.get(name) ?? null, b.get(name) ?? null];
    return before === after ? [] : [{ name, a: before, b: after }];
  });
}

/** Whose each test clip is, and whether a network got it right, by a name that does not depend on their order. */
type ClipAnswers = ReadonlyMap<string, { readonly user: number | null; readonly isRight: boolean }>;

/**
 * Names a clip by its recording, its class, and how many clips of that class come before it in the recording, so that runs can be
 * compared whose clips are numbered differently.
 */
export function nameAnswers(answers: readonly TestAnswer[]): ClipAnswers {
  const counts = new Map<string, number>();
  return new Map(
    answers.map(({ recording, user, class: label, predicted }) => {
      const name = `${recording} class ${label}`;
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      return [`${name} ${count}`, { user, isRight: predicted === label }];
    }),
  );
}

/** What a network was evaluated on, by digests; null where it is not known. */
export interface DataIdentity {
  /** Of the frames that the evaluation read. */
  readonly frames: string | null;
  /** Of the recordings that the frames were made from, whatever the settings. */
  readonly recordings: string | null;
}

/**
 * Whether two networks were evaluated on the same recordings: that is certain if they read the same frames, too. Clips of other recordings
 * may have the same names, for example if they are simulated with another seed.
 *
 * @returns null if it is not known
 */
function isSameData(a: DataIdentity, b: DataIdentity): boolean | null {
  if (a.frames !== null && a.frames === b.frames) return true;
  if (a.recordings === null || b.recordings === null) return null;
  return a.recordings === b.recordings;
}

export interface MetricRow {
  readonly name: string;
  readonly a: number | null;
  readonly b: number | null;
}

export interface PairComparison {
  readonly a: RunResults;
  readonly b: RunResults;
  /** null if either is not known. */
  readonly settings: readonly SettingDifference[] | null;
  readonly metrics: readonly MetricRow[];
}

/** How much more accurate B is than A: two models over the seeds that both have, or two seeds of a model. */
export interface AccuracyDifference {
  readonly pairs: readonly PairComparison[];
  /** On the test clips that both were tested on: for other seeds and people, or with one pair for these trainings. */
  readonly measured: {
    readonly difference: number;
    readonly certainty: Certainty | null;
    /** Corrected for the number of differences (Holm). */
    readonly pHolm: number | null;
    /** `two seeds and six users`. */
    readonly design: string;
  } | null;
  /** Why nothing is measured; empty if it is. */
  readonly problem: string;
}

export interface RunComparison {
  readonly pairs: readonly PairComparison[];
  readonly differences: readonly AccuracyDifference[];
  /** Networks without a counterpart. */
  readonly onlyA: readonly RunResults[];
  readonly onlyB: readonly RunResults[];
}

/**
 * Compares two lists of networks, each network with the one of the same model and seed. If each list has one model, only the seeds must
 * match; if each has one seed, only the models. A single network is compared with a single network in any case.
 */
export function compareRuns(a: readonly RunResults[], b: readonly RunResults[]): RunComparison {
  const matches = matchRuns(a, b);
  const pairs = matches.map(([first, second]) => comparePair(first, second));
  return {
    ...{ pairs, differences: measureDifferences(pairs) },
    onlyA: a.filter((run) => !matches.some(([first]) => first === run)),
    onlyB: b.filter((run) => !matches.some(([, second]) => second === run)),
  };
}

type Match = readonly [RunResults, RunResults];

function matchRuns(a: readonly RunResults[], b: readonly RunResults[]): Match[] {
  const [onlyA, onlyB] = [a[0], b[0]];
  if (a.length === 1 && b.length === 1 && onlyA !== undefined && onlyB !== undefined) return [[onlyA, onlyB]];
  const isOne = (name: 'model' | 'seed') =>
    [a, b].every((runs) => new Set(runs.map((run) => run[name])).size === 1);
  // Of two models, networks with the same seed belong together; of two seeds, those of the same model.
  const [bySeed, byModel] = [isOne('model'), isOne('seed')];
  return a.flatMap((first): Match[] => {
    const second = b.find(
      (one) => (byModel || one.seed === first.seed) && (bySeed || one.model === first.model),
    );
    return second === undefined ? [] : [[first, second]];
  });
}

function comparePair(a: RunResults, b: RunResults): PairComparison {
  const names = [...new Set([...Object.keys(a.metrics), ...Object.keys(b.metrics)])];
  return {
    ...{ a, b },
    settings: a.settings === null || b.settings === null ? null : diffSettings(a.settings, b.settings),
    metrics: names.map((name) => ({ name, a: a.metrics[name] ?? null, b: b.metrics[name] ?? null })),
  };
}

function measureDifferences(pairs: readonly PairComparison[]): AccuracyDifference[] {
  const groups = new Map<string, PairComparison[]>();
  for (const pair of pairs) {
    const { a, b } = pair;
    const key = JSON.stringify([a.model, b.model, ...(a.seed === b.seed ? [] : [a.seed, b.seed])]);
    groups.set(key, [...(groups.get(key) ?? []), pair]);
  }
  const found = [...groups.values()].map((group) => {
    const problem = findProblem(group);
    return { pairs: group, problem, measured: problem === '' ? measureGroup(group) : null };
  });
  const adjusted = holmAdjust(found.map(({ measured }) => measured?.certainty?.p ?? 1));
  return found.map(({ measured, ...rest }, i) => {
    const pHolm = measured?.certainty ? adjusted[i]! : null;
    return { ...rest, measured: measured && { ...measured, pHolm } };
  });
}

/** Why the answers of two sides cannot be compared; empty if they can. */
function findProblem(pairs: readonly PairComparison[]): string {
  if (pairs.every(({ a, b }) => a.run === b.run)) return 'A and B are the same run';
  if (pairs.some(({ a, b }) => a.answers === null || b.answers === null))
    return 'the answers of a run are no longer kept';
  const isSame = pairs.map(({ a, b }) => isSameData(a.data, b.data));
  // A clip's name says nothing of what is in it: other simulated recordings have the same names.
  if (isSame.includes(false)) return 'they were tested on different recordings';
  if (isSame.includes(null)) return 'they were perhaps tested on different recordings';
  const differing = new Set(
    (['a', 'b'] as const).flatMap((side) => findDiffering(pairs.map((one) => one[side]))),
  );
  if (differing.size > 0)
    return `seeds were trained with different settings (${[...differing].join(', ')}), so they are not averaged`;
  return pairs.some((pair) => listCommon(pair).length === 0) ? 'they have no test clip in common' : '';
}

/** The settings in which networks of one side differ; neither the seed nor the engine is one. */
function findDiffering(runs: readonly RunResults[]): string[] {
  const known = runs.flatMap(({ settings }) => settings ?? []);
  const [first] = known;
  if (first === undefined) return [];
  // With folds, each seed has other people to test.
  const expected = first.has('split.testUsers') ? /^(engine(s$|\.)|split\.)/ : /^engine(s$|\.)/;
  return known
    .flatMap((settings) => diffSettings(first, settings).map(({ name }) => name))
    .filter((name) => !expected.test(name));
}

function listCommon({ a, b }: PairComparison): string[] {
  return [...(a.answers?.keys() ?? [])].filter((clip) => b.answers?.has(clip));
}

function measureGroup(pairs: readonly PairComparison[]) {
  const answers = pairs.flatMap((pair) =>
    listCommon(pair).map((clip) => [clip, pair.a.answers!.get(clip)!] as const),
  );
  const hasGroups = answers.every(([, { user }]) => user !== null);
  const of = (side: 'a' | 'b') =>
    pairs.map((pair, i) => {
      const own = pair[side].answers!;
      return [
        `${i}`,
        new Map(listCommon(pair).map((clip) => [clip, Number(own.get(clip)!.isRight)])),
      ] as const;
    });
  const table = {
    ...{ isScore: false, hasGroups },
    groups: new Map(answers.map(([clip, { user }]) => [clip, hasGroups ? `${user}` : clip])),
    arms: new Map([
      ['A', new Map(of('a'))],
      ['B', new Map(of('b'))],
    ]),
  };
  const seeds = pairs.map((_, i) => `${i}`);
  const cells = sumCells(table, seeds, 'B', 'A');
  const fixed = pairs.length === 1 ? 'seeds' : undefined;
  const [contrast] = measureContrasts([cells], { margin: 0, largest: 1, fixed });
  const { difference, certainty } = contrast!;
  return { difference, certainty, design: nameDesign(cells, hasGroups) };
}
