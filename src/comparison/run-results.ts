import type { TestAnswer } from '../results/predictions.ts';
import type { ResultFile } from '../results/result-file.ts';
import { readSettings } from '../results/run-file.ts';

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

/** Settings in force, `training.epochs` -> JSON text. */
export type Settings = ReadonlyMap<string, string>;

export interface SettingDifference {
  readonly name: string;
  /** JSON; null where it does not exist. */
  readonly a: string | null;
  readonly b: string | null;
}

/** What run.json says of how a network was made. */
const sections = ['dataset', 'simulated', 'frames', 'network', 'training', 'compat', 'split', 'engine'];

/** The settings that a training recorded in run.json, including those that only another version knows. */
export function settingsOf(run: ResultFile): Settings {
  return new Map([...readSettings(run, sections)].map(([name, value]) => [name, JSON.stringify(value)]));
}

/** In the order of the first, then what only the second has. */
export function diffSettings(a: Settings, b: Settings): SettingDifference[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((name) => {
    const [before, after] = [a.get(name) ?? null, b.get(name) ?? null];
    return before === after ? [] : [{ name, a: before, b: after }];
  });
}

/** Which test clips a network got right, by a name that does not depend on their order. */
export type ClipAnswers = ReadonlyMap<string, boolean>;

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
export function isSameData(a: DataIdentity, b: DataIdentity): boolean | null {
  if (a.frames !== null && a.frames === b.frames) return true;
  if (a.recordings === null || b.recordings === null) return null;
  return a.recordings === b.recordings;
}
