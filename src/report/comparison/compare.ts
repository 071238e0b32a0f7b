import type { TestAnswer } from '../../results/predictions.ts';
import type { ResultFile } from '../../results/result-file.ts';
import { nameSetting, readSettings } from '../../results/run-file.ts';
import { type PairedTest, pairedTTest } from '../../verdicts/stats/means.ts';
import { countDiscordant, holmAdjust, mcnemarTest } from '../../verdicts/stats/p-values.ts';
import { independentDifference, pairedDifference } from '../../verdicts/stats/proportions.ts';

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

/** Which test clips a network got right, by a name that does not depend on their order. */
type ClipAnswers = ReadonlyMap<string, boolean>;

/**
 * Names a clip by its recording, its class, and how many clips of that class come before it in the recording, so that runs can be
 * compared whose clips are numbered differently.
 */
export function nameAnswers(answers: readonly TestAnswer[]): ClipAnswers {
  const counts = new Map<string, number>();
  return new Map(
    answers.map(({ recording, class: label, predicted }) => {
      const name = `${recording} class ${label}`;
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      return [`${name} ${count}`, predicted === label];
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

/** How two networks did on test clips; every difference is B - A, as a share of the clips. */
export interface ClipComparison {
  readonly clipsA: number;
  readonly clipsB: number;
  readonly rightA: number;
  readonly rightB: number;
  /** Whether both were tested on the same recordings; null if that is not known. Without that, no clip counts as common. */
  readonly sameData: boolean | null;
  /** Clips that both were tested on. */
  readonly common: number;
  /** Of those, which only one got right. */
  readonly onlyA: number;
  readonly onlyB: number;
  /** McNemar's exact test on the common clips, two-sided; null without any. */
  readonly p: number | null;
  /** Corrected for the number of pairs (Holm). */
  readonly pHolm: number | null;
  readonly difference: number;
  /** 95 %: Agresti and Min's if all clips are common, else Newcombe's for other clips. */
  readonly low: number;
  readonly high: number;
  readonly interval: 'paired' | 'independent';
}

export interface PairComparison {
  readonly a: RunResults;
  readonly b: RunResults;
  /** Both are one and the same run, so that there is nothing to test. */
  readonly sameRun: boolean;
  /** null if either is not known. */
  readonly settings: readonly SettingDifference[] | null;
  readonly metrics: readonly MetricRow[];
  /** null if the answers of either are not known, or if both are the same run. */
  readonly clips: ClipComparison | null;
}

/** Two models, or one in two runs, over at least two seeds. */
export interface SeedComparison {
  readonly modelA: string;
  readonly modelB: string;
  readonly seeds: readonly string[];
  /** Settings in which the networks of one model differ between seeds. */
  readonly differing: readonly string[];
  /** Of the test accuracies, B - A, paired by seed; null if settings differ between seeds. */
  readonly accuracy: PairedTest | null;
}

export interface RunComparison {
  readonly pairs: readonly PairComparison[];
  readonly seeds: readonly SeedComparison[];
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
  const pairs = adjust(matches.map(([first, second]) => comparePair(first, second)));
  return {
    pairs,
    seeds: compareSeeds(matches),
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
    a,
    b,
    sameRun: isSameRun([a, b]),
    settings: a.settings === null || b.settings === null ? null : diffSettings(a.settings, b.settings),
    metrics: names.map((name) => ({ name, a: a.metrics[name] ?? null, b: b.metrics[name] ?? null })),
    clips:
      a.answers === null || b.answers === null || isSameRun([a, b])
        ? null
        : compareClips(a.answers, b.answers, isSameData(a.data, b.data)),
  };
}

function isSameRun([a, b]: Match): boolean {
  return a.run === b.run;
}

function compareClips(a: ClipAnswers, b: ClipAnswers, sameData: boolean | null): ClipComparison | null {
  if (a.size === 0 || b.size === 0) return null;
  // A clip's name says nothing of what is in it: other simulated recordings have the same names.
  const common = sameData === true ? [...a.keys()].filter((clip) => b.has(clip)) : [];
  const rightOf = (answers: ClipAnswers) => common.map((clip) => answers.get(clip) === true);
  const count = (answers: ClipAnswers) => [...answers.values()].filter((right) => right).length;
  const { onlyFirst: onlyB, onlySecond: onlyA } = countDiscordant(rightOf(b), rightOf(a));
  const [rightA, rightB] = [count(a), count(b)];
  const isSame = common.length === a.size && common.length === b.size;
  const { difference, low, high } = isSame
    ? pairedDifference({ clips: common.length, onlyFirst: onlyB, onlySecond: onlyA })
    : independentDifference({ successes: rightB, trials: b.size }, { successes: rightA, trials: a.size });
  return {
    clipsA: a.size,
    clipsB: b.size,
    rightA,
    rightB,
    sameData,
    common: common.length,
    onlyA,
    onlyB,
    p:
      common.length === 0 ? null : mcnemarTest({ clips: common.length, onlyFirst: onlyB, onlySecond: onlyA }),
    pHolm: null,
    difference,
    low,
    high,
    interval: isSame ? 'paired' : 'independent',
  };
}

/** With several pairs, some small p would be chance. */
function adjust(pairs: readonly PairComparison[]): PairComparison[] {
  const adjusted = holmAdjust(pairs.flatMap(({ clips }) => clips?.p ?? []));
  return pairs.map((pair) =>
    pair.clips === null || pair.clips.p === null
      ? pair
      : { ...pair, clips: { ...pair.clips, pHolm: adjusted.shift() ?? null } },
  );
}

const ACCURACY = 'evaluate.testAccuracy';

function compareSeeds(matches: readonly Match[]): SeedComparison[] {
  const groups = new Map<string, Match[]>();
  for (const match of matches) {
    const [a, b] = match;
    if (a.seed !== b.seed || isSameRun(match)) continue;
    if (a.metrics[ACCURACY] === undefined || b.metrics[ACCURACY] === undefined) continue;
    const key = JSON.stringify([a.model, b.model]);
    groups.set(key, [...(groups.get(key) ?? []), match]);
  }
  return [...groups.values()].flatMap((group): SeedComparison[] => {
    const [first] = group;
    if (first === undefined || group.length < 2) return [];
    const accuracyOf = ({ metrics }: RunResults) => metrics[ACCURACY] ?? Number.NaN;
    const differences = group.map(([a, b]) => accuracyOf(b) - accuracyOf(a));
    const differing = [...new Set(([0, 1] as const).flatMap((side) => findDiffering(group, side)))];
    return [
      {
        modelA: first[0].model,
        modelB: first[1].model,
        seeds: group.map(([{ seed }]) => seed),
        differing,
        accuracy: differing.length > 0 ? null : pairedTTest(differences),
      },
    ];
  });
}

/** The settings in which networks of one side differ; neither the seed nor the engine is one. */
function findDiffering(group: readonly Match[], side: 0 | 1): string[] {
  const known = group.flatMap((match) => match[side].settings ?? []);
  const [first] = known;
  if (first === undefined) return [];
  // With folds, each seed has other people to test.
  const expected = first.has('split.testUsers') ? /^(engine(s$|\.)|split\.)/ : /^engine(s$|\.)/;
  return known
    .flatMap((settings) => diffSettings(first, settings).map(({ name }) => name))
    .filter((name) => !expected.test(name));
}
