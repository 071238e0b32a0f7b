import { createHash } from 'node:crypto';
import { ReproError } from '../errors.ts';

/**
 * JSON with exactly one spelling per value: keys sorted by code unit, no white space, `undefined` properties left out.
 *
 * @throws {ReproError} `not-json` for values JSON cannot represent: NaN, infinities, functions, bigints
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    let members = '';
    // Without a function to compare, names are sorted by code unit, many times as fast.
    for (const key of Object.keys(value).sort()) {
      const member: unknown = (value as Readonly<Record<string, unknown>>)[key];
      if (member === undefined) continue;
      members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
    }
    return `{${members}}`;
  }
  throw new ReproError('not-json', `${String(value)} cannot be written as JSON`);
}

/** Whether two values have the same canonical JSON, in a fraction of the time that it takes to write it: runs compare every record. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of Object.keys(other))
    if (other[key] !== undefined && !Object.hasOwn(one, key)) return false;
  for (const key of Object.keys(one)) {
    const value = Object.hasOwn(other, key) ? other[key] : undefined;
    if (!isSameJson(one[key], value)) return false;
  }
  return true;
}

export function hashJson(value: unknown): string {
  return hashText(canonicalJson(value));
}

/** Hex sha256 of a text's UTF-8 bytes, or of bytes. */
export function hashText(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The order of every sorted list that is hashed: by UTF-16 code unit, independent of machine and locale. */
export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a value is a sha256 as it is written everywhere here: 64 hexadecimal digits, in lower case. */
export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/**
 * For whatever makes a path or a key of a digest: anything else, such as `../../..`, would lead elsewhere. What comes from a file is
 * checked when it is read, so this only fails if such a check is missing.
 */
export function requireSha256(value: string): string {
  if (!isSha256(value)) throw new Error(`${JSON.stringify(value)} is not a SHA-256`);
  return value;
}
