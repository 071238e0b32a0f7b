import type { RunResults } from '../../comparison/run-results.ts';
import { toOneLine } from '../view/safe-text.ts';

/** `baseline,2020`, or `baseline,2020 → no-reg,2020` if they are not the same. */
export function namePair(a: RunResults, b: RunResults): string {
  const [first, second] = [nameOf(a), nameOf(b)];
  return first === second ? first : `${first} → ${second}`;
}

export function nameOf({ model, seed }: RunResults): string {
  return toOneLine(seed === '' ? model : `${model},${seed}`);
}
