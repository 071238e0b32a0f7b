import { listSome } from '../../base/text.ts';
import { type SampleFacts, tellsUsers } from '../../results/dataset-facts.ts';
import type { Split } from '../contract/clips.ts';
import type { Sample } from './layout.ts';

/**
 * Warns of people with samples of both splits, in at most one sentence: a network knows them. Where names have no `{user}`, of parts of names
 * that may be people: those that several classes have, but not all samples, and that are not only digits.
 */
export function warnOfBothSplits(
  facts: SampleFacts,
  { train, test }: Readonly<Record<Split, readonly Sample[]>>,
): string[] {
  const isKnown = tellsUsers(facts);
  const folders = Object.values(facts.split.folders ?? {});
  const having = new Map<string, Sample[]>();
  for (const sample of [...train, ...test]) {
    const parts = isKnown ? [showUser(facts, sample)] : partsOf(sample.path, facts.classes[sample.class]!);
    for (const part of new Set(parts))
      having
        .set(part, having.get(part) ?? [])
        .get(part)!
        .push(sample);
  }
  const people = [...having].filter(([part, samples]) => {
    const isShared = samples.some((sample) => sample.class !== samples[0]!.class);
    const tellsSome = samples.length < train.length + test.length && !/^\d*$/.test(part);
    return isKnown || (isShared && tellsSome && !folders.includes(part));
  });
  const tested = new Set(test);
  const both = people.filter(([, samples]) => new Set(samples.map((one) => tested.has(one))).size > 1);
  if (both.length === 0) return [];
  const count = `in both training and test: ${both.length} of ${people.length} (${listSome(both.map(([part]) => part))})`;
  return isKnown
    ? [
        `users ${count}. Accuracy then says little about other people: keep them apart by \`split.testUsers\`, or by \`dataset.folds\` of a profile.`,
      ]
    : [
        `parts of names ${count}. If they are people, accuracy says little about others: write {user} at their place in \`samples\`, list them in \`users\`, and split by \`split.testUsers\`.`,
      ];
}

/** What separators make of a path, without its class and the number at its end. */
function partsOf(path: string, label: string): string[] {
  const join = (text: string) => `/${text}/`.replace(/[/_. -]+/g, '/');
  const rest = join(path.replace(/\d*\.[^./]*$/, '')).replaceAll(join(label), '/');
  return rest.split('/');
}

/** As names have it. */
function showUser({ users }: SampleFacts, { user }: Sample): string {
  return typeof users === 'object' ? users[user! - 1]! : user!.toString(users === 'hexadecimal' ? 16 : 10);
}
