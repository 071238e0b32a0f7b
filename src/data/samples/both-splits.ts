import { listSome } from '../../base/text.ts';
import { type SampleFacts, tellsUsers } from '../../results/dataset-facts.ts';
import { SPLITS, type Split } from '../contract/clips.ts';
import type { Sample } from './layout.ts';

/**
 * Warns of people, or of what may be people in the names, with samples of both splits: a network may then know those whom it is tested on.
 * Without `{user}` in the names, that is a part of a name that samples of several classes have, though not all samples, and that is not only digits.
 *
 * @returns at most one sentence
 */
export function warnOfBothSplits(
  facts: SampleFacts,
  splits: Readonly<Record<Split, readonly Sample[]>>,
): string[] {
  const isKnown = tellsUsers(facts);
  const found = new Map<
    string,
    { readonly splits: Set<Split>; readonly classes: Set<number>; count: number }
  >();
  for (const split of SPLITS) {
    for (const sample of splits[split]) {
      const parts = isKnown
        ? [showUser(facts, sample.user!)]
        : partsOf(sample.path, facts.classes[sample.class]!);
      for (const part of new Set(parts)) {
        const one = found.get(part) ?? { splits: new Set(), classes: new Set(), count: 0 };
        found.set(part, one);
        one.splits.add(split);
        one.classes.add(sample.class);
        one.count++;
      }
    }
  }
  const all = splits.train.length + splits.test.length;
  const folders = Object.values(facts.split.folders ?? {});
  const likePeople = [...found].filter(
    ([part, { classes, count }]) =>
      isKnown || (classes.size > 1 && count < all && !/^\d*$/.test(part) && !folders.includes(part)),
  );
  const both = likePeople.filter(([, one]) => one.splits.size > 1).map(([part]) => part);
  if (both.length === 0) return [];
  const count = `${both.length} of ${likePeople.length} (${listSome(both)})`;
  return isKnown
    ? [
        `users in both training and test: ${count}. Accuracy then says little about other people: keep them apart by \`split.testUsers\`, or by \`dataset.folds\` of a profile.`,
      ]
    : [
        `parts of names in both training and test: ${count}. If they are people, accuracy says little about others: write {user} at their place in \`samples\`, list them in \`users\`, and split by \`split.testUsers\`.`,
      ];
}

/** What separators make of a path, without its class and the number at its end. */
function partsOf(path: string, label: string): string[] {
  const join = (text: string) => `/${text}/`.replace(/[/_. -]+/g, '/');
  return join(path.replace(/\d*\.[^./]*$/, ''))
    .replaceAll(join(label), '/')
    .split('/');
}

/** A user as names have it. */
function showUser({ users }: SampleFacts, user: number): string {
  return typeof users === 'object' ? users[user - 1]! : user.toString(users === 'hexadecimal' ? 16 : 10);
}
