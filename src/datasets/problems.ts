import { ReproError } from '../errors.ts';

/** Names shown of a long list; the rest is counted. */
const SHOWN = 4;

/** `a, b, c, d and 12 more`. */
export function foldNames(names: readonly string[], shown = SHOWN): string {
  if (names.length <= shown + 1) return names.join(', ');
  return `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
}

export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1.2 GB`, decimal as in download pages. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Gathers everything that is wrong with a data set, by kind, so that one run tells all of it. */
export class Problems {
  readonly #kinds = new Map<string, string[]>();

  /** @param kind heading, for instance `recordings are missing`; details of one kind are folded together */
  add(kind: string, detail: string): void {
    const details = this.#kinds.get(kind) ?? [];
    details.push(detail);
    this.#kinds.set(kind, details);
  }

  get empty(): boolean {
    return this.#kinds.size === 0;
  }

  /** One block of lines a kind: `12 recordings are missing:` and below it the first of them. */
  lines(): string[] {
    return [...this.#kinds].flatMap(([kind, details]) => [
      `${kind} (${details.length}):`,
      ...details.slice(0, SHOWN).map((detail) => `  ${detail}`),
      ...(details.length > SHOWN ? [`  and ${details.length - SHOWN} more`] : []),
    ]);
  }

  /** @throws {ReproError} `data-corrupt` with all problems, unless there are none */
  throwIfAny(where: string, what: string, fix: string): void {
    if (this.empty) return;
    const text = [`${what} is not whole:`, ...this.lines().map((line) => `  ${line}`)].join('\n');
    throw new ReproError('data-corrupt', text, { where, fix });
  }
}

/** The text of an error with its place on one line, for a list of problems. */
export function describeProblem(error: ReproError): string {
  return error.where === undefined ? error.message : `${error.where}  ${error.message}`;
}
