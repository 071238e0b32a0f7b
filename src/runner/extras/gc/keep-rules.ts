import { ReproError } from '../../../errors.ts';

/** Which records to keep, besides the last of each instance. */
export type KeepRule =
  | { readonly kind: 'all' }
  /** The most recent records of each instance. */
  | { readonly kind: 'count'; readonly count: number }
  /** Records, logs and unfinished work younger than this. */
  | { readonly kind: 'age'; readonly seconds: number }
  | { readonly kind: 'profile'; readonly name: string }
  /** All records of a stage, or of one instance. */
  | { readonly kind: 'stage'; readonly name: string };

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, d: 86_400, w: 604_800 };

const forms = 'all, a number such as 5, an age such as 12h, 30d or 8w, profile=NAME, stage=NAME';

/**
 * Reads a rule: `all`, `5`, `30d`, `profile=full`, `stage=train`.
 *
 * @throws {ReproError} `usage`
 */
export function parseKeepRule(text: string): KeepRule {
  if (text === 'all') return { kind: text };
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return { kind: 'count', count: Number(text) };
  const [, amount, unit] = /^(\d{1,6})([hdw])$/.exec(text) ?? [];
  if (amount !== undefined) return { kind: 'age', seconds: Number(amount) * (unitSeconds[unit ?? ''] ?? 0) };
  const [, key, name] = /^(profile|stage)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && (key === 'profile' || key === 'stage')) return { kind: key, name };
  throw new ReproError('usage', `--keep: "${text}" is no rule`, { fix: `Expected: ${forms}.` });
}
