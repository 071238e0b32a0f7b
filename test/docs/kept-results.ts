// What the tests of pages on results have in common: reading results/ and writing numbers as the pages do.

import { formatBareRange } from '../../src/verdicts/words.ts';
import { readPage } from './pages.ts';

export interface Arm {
  readonly model: string;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: string;
}

export interface BaselineRun {
  readonly model: string;
  readonly seed: number;
  readonly layers: readonly { readonly tauMeans: number[] }[];
  readonly test: { readonly clips: number; readonly correctByStep: readonly number[] };
}

/** A page without its line breaks. */
export const readLine = (page: string) => readPage(page).replace(/\s+/g, ' ');

/** Rounded as in a report. */
export const points = (difference: number) => (Math.abs(Math.round(1000 * difference)) / 10).toFixed(1);

/** The arms of a kept question by their model. */
export function armsOf(profile: string): Record<string, Arm> {
  const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
  return Object.fromEntries(question.arms.map((arm: Arm) => [arm.model, arm]));
}

export function intervalOf({ low, high }: Pick<Arm, 'low' | 'high'>): string {
  return formatBareRange({ low, high }).replaceAll('\u00a0', ' ');
}
