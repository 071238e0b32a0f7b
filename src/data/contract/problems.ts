import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { formatCount, listSome } from '../../base/text.ts';
import type { DatasetFacts } from '../../results/dataset-facts.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { SPLITS, type Split } from './clips.ts';

/** For an error: with the few kinds that exist, it stays within 25 lines. */
const SHOWN_NAMES = 5;
const SHOWN_PLACES = 3;

interface Kind {
  /** Whether its problems name a line or byte; otherwise only a file. */
  readonly hasPlaces: boolean;
  /** As shown in the error. */
  readonly told: string[];
  /** In full, for the log. */
  readonly full: string[];
}

/**
 * Collects all problems with a data set, by kind, so that one run reports them all: folded in the error, in
 * full in the log.
 */
export class Problems {
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param kind heading, for instance `labels are invalid`
   * @param sentence where and what
   * @param detail only for the log
   */
  addPlace(kind: string, sentence: string, detail = ''): void {
    this.#add(kind, true, sentence, detail);
  }

  /**
   * @param kind heading, for instance `recordings are missing`
   * @param name of a file about which there is nothing more to report
   * @param detail only for the log
   */
  addName(kind: string, name: string, detail = ''): void {
    this.#add(kind, false, name, detail);
  }

  #add(kind: string, hasPlaces: boolean, told: string, detail: string): void {
    const found = this.#kinds.get(kind) ?? { hasPlaces, told: [], full: [] };
    found.told.push(told);
    found.full.push(detail === '' ? told : `${told}  ${detail}`);
    this.#kinds.set(kind, found);
  }

  /** Those that name a line or byte come first, then rarer before more frequent ones: a single odd file says most. */
  #sorted(): [string, Kind][] {
    return [...this.#kinds].sort(
      ([, a], [, b]) => Number(b.hasPlaces) - Number(a.hasPlaces) || a.told.length - b.told.length,
    );
  }

  /** Short enough for a screen. */
  lines(): string[] {
    return this.#sorted().flatMap(([kind, { hasPlaces, told }]) => {
      if (!hasPlaces) return [`${kind} (${told.length}): ${listSome(told, SHOWN_NAMES)}`];
      const first = told.length > SHOWN_PLACES ? `, the first ${SHOWN_PLACES}` : '';
      const shown = told.slice(0, SHOWN_PLACES).map((sentence) => `  ${sentence}`);
      return [`${kind} (${told.length}${first}):`, ...shown];
    });
  }

  /** @throws {ReproError} `data-corrupt` with all problems, folded, if there are any; `log` gets each of them */
  throwIfAny(error: {
    readonly where: string;
    readonly what: string;
    readonly fix: string;
    readonly log?: ((line: string) => void) | undefined;
  }): void {
    if (this.#kinds.size === 0) return;
    for (const [kind, { full }] of this.#sorted()) for (const line of full) error.log?.(`${kind}: ${line}`);
    const lines = this.lines().map((line) => `  ${line}`);
    const text = [`${error.what} is incomplete or damaged:`, ...lines].join('\n');
    throw new ReproError('data-corrupt', text, { where: error.where, fix: error.fix });
  }
}

/** An error's text with its place on one line, for a list of problems. */
export function describeProblem(error: ReproError): string {
  return error.where === undefined ? error.message : `${error.where}  ${error.message}`;
}

/** How often each name occurs, in the order in which they first do. */
export function countNames(names: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** `user07`. */
export function nameUser(user: number): string {
  return `user${String(user).padStart(2, '0')}`;
}

/** The clips of each class, in class order; classes count from 0. */
export function countClasses(
  classes: readonly string[],
  ...labels: readonly Iterable<number>[]
): Record<string, number> {
  const counts = classes.map(() => 0);
  for (const some of labels) for (const label of some) counts[label]! += 1;
  return Object.fromEntries(classes.map((name, i) => [name, counts[i]!]));
}

/**
 * The manifest of a data set in which each sample or image is one clip. Missing ones, and classes without any, are warnings.
 *
 * @param labels the classes of each split's clips, from 0
 */
export function makeManifest(
  facts: Pick<DatasetFacts, 'name' | 'title' | 'classes' | 'published' | 'simulated'>,
  noun: 'image' | 'sample',
  labels: Readonly<Record<Split, readonly number[] | Uint8Array>>,
  found: {
    readonly archive: boolean;
    readonly files: readonly ManifestFile[];
    readonly warnings: readonly string[];
    /** Of each clip, in any order; empty if the names do not say. */
    readonly users?: readonly number[];
  },
): Manifest {
  const { name, title, classes, published } = facts;
  const count = (split: Split) => ({ recordings: labels[split].length, clips: labels[split].length });
  const warnings = SPLITS.flatMap((split) => {
    const own = split === 'train' ? `training ${noun}` : `test ${noun}`;
    const { length } = labels[split];
    const absent = classes.filter((_, i) => !labels[split].includes(i));
    return [
      ...(length === published[split]
        ? []
        : [`${formatCount(length, own)} instead of ${title}'s ${published[split].toLocaleString('en-US')}.`]),
      ...(absent.length === 0 ? [] : [`no ${own} of ${absent.join(', ')}.`]),
    ];
  });
  return {
    version: 1,
    dataset: name,
    simulated: facts.simulated === true,
    archive: found.archive,
    splits: { train: count('train'), test: count('test') },
    perUser: countNames((found.users ?? []).toSorted((a, b) => a - b).map(nameUser)),
    perLight: {},
    perClass: countClasses(classes, labels.train, labels.test),
    warnings: [...warnings, ...found.warnings],
    files: [...found.files].sort((a, b) => compareCodeUnits(a.path, b.path)),
  };
}
