import { parseFields } from '../formats/fields.ts';

/** Settings in force, `training.epochs` -> JSON text. */
export type Settings = ReadonlyMap<string, string>;

export interface SettingDifference {
  readonly name: string;
  /** JSON; null where it does not exist. */
  readonly a: string | null;
  readonly b: string | null;
}

/** What run.json says of how a network was made. */
const PARTS = ['dataset', 'simulated', 'frames', 'network', 'training', 'compat', 'split', 'engine'] as const;

/**
 * The settings that a training recorded in run.json. Those that a version does not know are listed all the same.
 *
 * @throws {ReproError} `compare-input`, if it is not a JSON object
 */
export function readSettings(file: string, text: string): Settings {
  const fix = 'Train again with this version: ./repro run train --force';
  const fields = parseFields(text, { file, code: 'compare-input', fix });
  const run: { readonly [part: string]: unknown } = JSON.parse(text);
  const settings = new Map<string, string>();
  for (const part of PARTS) if (fields.has(part)) flatten(part, run[part], settings);
  return settings;
}

function flatten(name: string, value: unknown, into: Map<string, string>): void {
  const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isBranch) into.set(name, JSON.stringify(value));
  else for (const [key, inner] of Object.entries(value)) flatten(`${name}.${key}`, inner, into);
}

/** In the order of the first, then what only the second has. */
export function diffSettings(a: Settings, b: Settings): SettingDifference[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((name) => {
    const [before, after] = [a.get(name) ?? null, b.get(name) ?? null];
    return before === after ? [] : [{ name, a: before, b: after }];
  });
}
