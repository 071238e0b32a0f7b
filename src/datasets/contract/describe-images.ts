import { compareCodeUnits } from '../../files/canonical-json.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { formatCount } from '../../text.ts';
import { type Images, SPLITS, type Split } from './dataset.ts';

/** What a check of still images needs to know of the data set. */
interface ImageSetFacts {
  readonly name: string;
  readonly title: string;
  readonly profile: string;
  readonly usualRoot: string;
  readonly classes: readonly string[];
  readonly published: Readonly<Record<Split, number>>;
}

/** The manifest of a set of still images; an image counts as a recording with one clip. */
export function describeImages(
  facts: ImageSetFacts,
  images: Readonly<Record<Split, Images>>,
  found: {
    readonly archive: boolean;
    readonly files: readonly ManifestFile[];
    readonly warnings: readonly string[];
  },
): Manifest {
  const counts = facts.classes.map(() => 0);
  for (const split of SPLITS) for (const label of images[split].labels) counts[label]! += 1;
  const count = (split: Split) => {
    const { length } = images[split].labels;
    return { recordings: length, clips: length };
  };
  return {
    version: 1,
    dataset: facts.name,
    simulated: false,
    archive: found.archive,
    splits: { train: count('train'), test: count('test') },
    perUser: {},
    perLight: {},
    perClass: Object.fromEntries(facts.classes.map((name, i) => [name, counts[i]!])),
    warnings: [...found.warnings, ...SPLITS.flatMap((split) => compareCount(facts, split, images[split]))],
    files: [...found.files].sort((a, b) => compareCodeUnits(a.path, b.path)),
  };
}

function compareCount(facts: ImageSetFacts, split: Split, { labels }: Images): string[] {
  const noun = split === 'train' ? 'training image' : 'test image';
  const all = facts.published[split];
  const warnings: string[] = [];
  if (labels.length !== all) {
    warnings.push(
      `${formatCount(labels.length, noun)} instead of ${facts.title}'s ${all.toLocaleString('en-US')}.`,
    );
  }
  const absent = facts.classes.filter((_, i) => !labels.includes(i));
  if (absent.length > 0) warnings.push(`no ${noun} of ${absent.join(', ')}.`);
  return warnings;
}
