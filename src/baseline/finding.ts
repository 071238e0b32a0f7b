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
] as const;
export type Rule = (typeof RULES)[number];

/** What one rule says of one subject. */
export interface Finding {
  readonly rule: Rule;
  /** `training frames`, or a run: `baseline, seed 2020`. */
  readonly subject: string;
  /** `skipped`: there is nothing to compare; `noted`: nothing that fails, but people should know it. The text says why. */
  readonly state: 'ok' | 'failed' | 'skipped' | 'noted';
  /** What was measured, and what is allowed. */
  readonly text: string;
  /** How near it is to failing, from 0; above 1 it fails. Of several findings, people see the nearest first. */
  readonly size: number;
}

/** A finding by its size. */
export function judgeSize(rule: Rule, subject: string, size: number, text: string): Finding {
  // A comparison that gives no number must never pass.
  return { rule, subject, state: size <= 1 ? 'ok' : 'failed', text, size };
}

export function note(rule: Rule, subject: string, text: string): Finding {
  return { rule, subject, state: 'noted', text, size: 0 };
}

export function skip(rule: Rule, subject: string, text: string): Finding {
  return { rule, subject, state: 'skipped', text, size: 0 };
}
