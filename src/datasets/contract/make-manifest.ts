import { compareCodeUnits } from '../../files/canonical-json.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { formatCount } from '../../text.ts';
import { type DatasetFacts, SPLITS, type Split } from './dataset.ts';

/** How often each name occurs, in the order in which they first do. */
export function countNames(names: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The clips of each class, in class order; classes count from 0. */
export function countClasses(
  classes: readonly string[],
  ...labels: readonly Iterable<number>[]
): Record<string, number> {
  const counts = classes.map(() => 0);
  for (const some of labels) for (const label of some) counts[label]! += 1;
  return Object.fromEntries(classes.map((name, i) => [name, counts[i]!]));
}

/**
 * The manifest of a data set in which each sample or image is one clip. Missing ones, and classes without any, are warnings.
 *
 * @param labels the classes of each split's clips, from 0
 */
export function makeManifest(
  facts: Pick<DatasetFacts, 'name' | 'title' | 'classes' | 'published' | 'simulated'>,
  noun: 'image' | 'sample',
  labels: Readonly<Record<Split, readonly number[] | Uint8Array>>,
  found: {
    readonly archive: boolean;
    readonly files: readonly ManifestFile[];
    readonly warnings: readonly string[];
  },
): Manifest {
  const { name, title, classes, published } = facts;
  const count = (split: Split) => ({ recordings: labels[split].length, clips: labels[split].length });
  const warnings = SPLITS.flatMap((split) => {
    const own = split === 'train' ? `training ${noun}` : `test ${noun}`;
    const { length } = labels[split];
    const absent = classes.filter((_, i) => !labels[split].includes(i));
    return [
      ...(length === published[split]
        ? []
        : [`${formatCount(length, own)} instead of ${title}'s ${published[split].toLocaleString('en-US')}.`]),
      ...(absent.length === 0 ? [] : [`no ${own} of ${absent.join(', ')}.`]),
    ];
  });
  return {
    version: 1,
    dataset: name,
    simulated: facts.simulated === true,
    archive: found.archive,
    splits: { train: count('train'), test: count('test') },
    perUser: {},
    perLight: {},
    perClass: countClasses(classes, labels.train, labels.test),
    warnings: [...warnings, ...found.warnings],
    files: [...found.files].sort((a, b) => compareCodeUnits(a.path, b.path)),
  };
}
