import type { RunFacts } from './baseline.ts';

/** What `repro check` compares with a baseline. */
export const RULES = [
  'frames',
  'runs',
  'settings',
  'same digits',
  'first batches',
  'learning rate',
  'loss',
  'spike rates',
  'τ',
  'σ(τ)',
  'chosen epoch',
  'accuracy',
  'question',
] as const;
export type Rule = (typeof RULES)[number];

/** What a rule says of something. */
export interface RuleOutcome {
  /** `skipped`: there is nothing to compare; `noted`: nothing that fails, but people should know it. The text says why. */
  readonly state: 'ok' | 'failed' | 'skipped' | 'noted';
  /** What was measured, and what is allowed. */
  readonly text: string;
  /** How near it is to failing, from 0; above 1 it fails. Of several findings, people see the nearest first. */
  readonly size: number;
}

export interface BaselineFinding extends RuleOutcome {
  readonly rule: Rule;
  /** `training frames`, or a run: `baseline, seed 2020`. */
  readonly subject: string;
}

/** A comparison that gives no number never passes. */
export function measure(size: number, text: string): RuleOutcome {
  return { state: size <= 1 ? 'ok' : 'failed', text, size };
}

export function fail(text: string): RuleOutcome {
  return measure(Number.POSITIVE_INFINITY, text);
}

export function note(text: string): RuleOutcome {
  return { state: 'noted', text, size: 0 };
}

export function skip(text: string): RuleOutcome {
  return { state: 'skipped', text, size: 0 };
}

/** A run, and the one of the same model and seed in the baseline. */
export interface Pair {
  readonly before: RunFacts;
  readonly now: RunFacts;
}

/** How far apart two values may be: `absolute` plus a share of the baseline's. */
export interface BaselineTolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** How far off a value is, above 1 too far, and in words. */
export interface Part {
  readonly size: number;
  readonly text: string;
}

export function compareValue(
  what: string,
  before: number | undefined,
  now: number | undefined,
  tolerance: BaselineTolerance,
): Part {
  if (before === undefined || now === undefined) {
    return {
      size: Number.POSITIVE_INFINITY,
      text: `${what}: in the ${now === undefined ? 'baseline' : 'run'} only`,
    };
  }
  const allowed = tolerance.absolute + tolerance.relative * Math.abs(before);
  const size = before === now ? 0 : Math.abs(now - before) / allowed;
  return {
    size: Number.isNaN(size) ? Number.POSITIVE_INFINITY : size,
    text: `${what} ${formatNumber(now)}, ${formatNumber(before)} in the baseline${before === now ? '' : `, allowed ±${formatNumber(allowed)}`}`,
  };
}

/** The part that is furthest off. */
export function findWorst(parts: readonly Part[]): Part {
  const [first, ...rest] = parts;
  if (first === undefined) return { size: Number.POSITIVE_INFINITY, text: 'there is nothing that both have' };
  return rest.reduce((worst, part) => (part.size > worst.size ? part : worst), first);
}

/** By the part that is furthest off; `what` in the plural. */
export function measureParts(what: string, parts: readonly Part[]): RuleOutcome {
  const { size, text } = findWorst(parts);
  const count = `${parts.length} ${what}`;
  return measure(size, size === 0 ? `${count}: equal` : `${count}, furthest off: ${text}`);
}

/** Four significant digits. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
