import { ReproError } from '../../errors.ts';
import { listSome } from '../../text.ts';

/** For an error: with the few kinds that exist, it stays within 25 lines. */
const SHOWN_NAMES = 5;
const SHOWN_PLACES = 3;

interface Kind {
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
  readonly #places = new Map<string, Kind>();
  readonly #names = new Map<string, Kind>();

  /**
   * @param kind heading, for instance `labels are invalid`
   * @param sentence where and what
   * @param detail only for the log
   */
  addPlace(kind: string, sentence: string, detail = ''): void {
    add(this.#places, kind, sentence, detail);
  }

  /**
   * @param kind heading, for instance `recordings are missing`
   * @param name of a file about which there is nothing more to report
   * @param detail only for the log
   */
  addName(kind: string, name: string, detail = ''): void {
    add(this.#names, kind, name, detail);
  }

  /** Short enough for a screen: problems that name a line or byte come first, then rarer before more frequent ones. */
  lines(): string[] {
    return [
      ...rareFirst(this.#places).flatMap(([kind, { told }]) => [
        told.length > SHOWN_PLACES
          ? `${kind} (${told.length}, the first ${SHOWN_PLACES}):`
          : `${kind} (${told.length}):`,
        ...told.slice(0, SHOWN_PLACES).map((sentence) => `  ${sentence}`),
      ]),
      ...rareFirst(this.#names).map(
        ([kind, { told }]) => `${kind} (${told.length}): ${listSome(told, SHOWN_NAMES)}`,
      ),
    ];
  }

  /** @throws {ReproError} `data-corrupt` with all problems, folded, if there are any; `log` gets each of them */
  throwIfAny(error: {
    readonly where: string;
    readonly what: string;
    readonly fix: string;
    readonly log?: ((line: string) => void) | undefined;
  }): void {
    const all = [...rareFirst(this.#places), ...rareFirst(this.#names)];
    if (all.length === 0) return;
    for (const [kind, { full }] of all) for (const line of full) error.log?.(`${kind}: ${line}`);
    const text = [`${error.what} is incomplete or damaged:`, ...this.lines().map((line) => `  ${line}`)].join(
      '\n',
    );
    throw new ReproError('data-corrupt', text, { where: error.where, fix: error.fix });
  }
}

function add(kinds: Map<string, Kind>, kind: string, told: string, detail: string): void {
  const found = kinds.get(kind) ?? { told: [], full: [] };
  found.told.push(told);
  found.full.push(detail === '' ? told : `${told}  ${detail}`);
  kinds.set(kind, found);
}

/** A single odd file says more than a hundred missing for one reason. */
function rareFirst(kinds: ReadonlyMap<string, Kind>): [string, Kind][] {
  return [...kinds].sort(([, a], [, b]) => a.told.length - b.told.length);
}

/** An error's text with its place on one line, for a list of problems. */
export function describeProblem(error: ReproError): string {
  return error.where === undefined ? error.message : `${error.where}  ${error.message}`;
}
