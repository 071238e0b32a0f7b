import type { SettingOrigins } from './setting-origins.ts';

export type Section = Readonly<Record<string, unknown>>;

/** Reads the keys of one section; the runner has already checked files against their schema, so this only catches invalid values. */
export class SectionReader {
  readonly #origins: SettingOrigins;
  readonly #prefix: string;
  readonly #section: Section;

  constructor(origins: SettingOrigins, section: unknown, prefix = '') {
    this.#origins = origins;
    this.#prefix = prefix;
    this.#section = asSection(section, origins, prefix.replace(/\.$/, ''));
  }

  has(key: string): boolean {
    return this.#section[key] !== undefined;
  }

  section(key: string): Section {
    return asSection(this.#section[key], this.#origins, this.#prefix + key);
  }

  text(key: string): string {
    const value = this.#section[key];
    return typeof value === 'string' ? value : this.#refuse(key, 'a text');
  }

  flag(key: string): boolean {
    const value = this.#section[key];
    return typeof value === 'boolean' ? value : this.#refuse(key, 'true or false');
  }

  choice<T extends string>(key: string, choices: readonly T[], otherwise?: T): T {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    return (
      choices.find((choice) => choice === this.#section[key]) ??
      this.#refuse(key, `one of ${choices.join(', ')}`)
    );
  }

  count(key: string, otherwise?: number): number {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    return this.number(key, (value) => Number.isInteger(value) && value >= 1, 'a whole number of at least 1');
  }

  number(key: string, good: (value: number) => boolean, expected: string): number {
    const value = this.#section[key];
    return typeof value === 'number' && good(value) ? value : this.#refuse(key, expected);
  }

  /** Rejects a key. @param instead what is expected, as in `nothing: …` */
  absent(key: string, instead: string): void {
    if (this.has(key)) this.#refuse(key, instead);
  }

  /** Rejects unknown keys. */
  only(known: readonly string[]): void {
    for (const key of Object.keys(this.#section)) {
      if (!known.includes(key)) throw unknownKey(this.#origins, this.#prefix + key, known);
    }
  }

  #refuse(key: string, expected: string): never {
    throw invalid(this.#origins, this.#prefix + key, expected, this.#section[key]);
  }
}

/** Merges two sections key by key, including nested ones; `over` takes precedence. */
export function mergeSections(base: Section, over: Section): Section {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isSection(before) && isSection(value) ? mergeSections(before, value) : value;
  }
  return merged;
}

/** @throws {ReproError} `model-invalid` if `value` is not a section */
export function asSection(value: unknown, origins: SettingOrigins, key: string): Section {
  if (isSection(value)) return value;
  throw invalid(origins, key, 'a section with keys', value);
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(origins: SettingOrigins, key: string, expected: string, found: unknown): Error {
  return origins.refuse(
    'model-invalid',
    key,
    `expected ${expected}, found ${found === undefined ? 'nothing' : JSON.stringify(found)}.`,
    'See schemas/model.schema.json.',
  );
}

function unknownKey(origins: SettingOrigins, key: string, known: readonly string[]): Error {
  const problem = `unknown key; expected one of ${known.join(', ')}.`;
  return origins.refuse('model-invalid', key, problem, 'See schemas/model.schema.json.');
}
