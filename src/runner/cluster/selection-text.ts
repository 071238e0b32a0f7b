import { quoteWords } from '../../files/shell-words.ts';
import type { PlanSelection } from './batch.ts';

/** `--profile full --set train.epochs=2`, as a person can paste it. */
export function describeSelection({ profile, set }: PlanSelection): string {
  const words = [
    ...(profile === null ? [] : ['--profile', profile]),
    ...set.flatMap((one) => ['--set', one]),
  ];
  return words.length === 0 ? 'the default settings' : quoteWords(words);
}
