import { ReproError } from '../../base/errors.ts';
import type { SampleFacts, SampleFiles } from '../../results/dataset-facts.ts';
import type { Split } from '../contract/clips.ts';

/** What the name of a sample says. */
export interface SampleName {
  readonly files: SampleFiles;
  readonly class: number;
  /** Null if the samples of a class are split by `trainShare`, or by a list. */
  readonly split: Split | null;
  /** For the order in which a class is split: `cifar10_bird_2.aedat` comes before `cifar10_bird_10.aedat`; null without one. */
  readonly number: number | null;
  readonly user: number | null;
}

/** What `{class}` and its like stand for, as part of a regular expression. */
function placeholders({ classes, split, users }: SampleFacts): Readonly<Record<string, readonly string[]>> {
  const digits = ['\\d+'];
  return {
    class: classes.map(escapeText),
    label: classes.map((_, i) => String(i)),
    split: Object.values(split.folders ?? {}).map(escapeText),
    number: digits,
    // At most 52 bits, which a number holds exactly.
    user: users === 'hexadecimal' ? ['[0-9a-f]{1,13}'] : (users?.map(escapeText) ?? digits),
  };
}

function escapeText(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** The pattern of `{class}/{class}_{number}.mat`: what occurs twice must be the same. */
function compile(names: string, facts: SampleFacts): RegExp {
  const kinds = placeholders(facts);
  const seen = new Set<string>();
  const source = names.replace(/\{(\w+)\}|\*|[^{*]+/g, (text, kind: string | undefined) => {
    if (text === '*') return '[^/]*?';
    if (kind === undefined) return escapeText(text);
    if (seen.has(kind)) return `\\k<${kind}>`;
    seen.add(kind);
    // `wave` before `wa`, with which it begins.
    const longestFirst = [...(kinds[kind] ?? [])].sort((a, b) => b.length - a.length);
    return `(?<${kind}>${longestFirst.join('|')})`;
  });
  return new RegExp(`^${source}$`);
}

/**
 * Reads names of samples: `Train/7/00042.bin` -> its class and split; null for any other name.
 *
 * @throws {ReproError} `dataset-names` if the split needs what the names do not say
 */
export function nameReader(facts: SampleFacts): (path: string) => SampleName | null {
  const { classes, split, samples, name, users } = facts;
  const refuse = (names: string, problem: string, fix: string) =>
    new ReproError('dataset-names', `"${names}" ${problem}.`, {
      where: `configs/datasets/${name}.yaml`,
      fix,
    });
  for (const { names } of samples) {
    if ((split.folders !== undefined) !== names.includes('{split}')) {
      const problem = split.folders
        ? 'lacks {split}, but there is split.folders'
        : 'has {split}, but split.folders is missing';
      throw refuse(
        names,
        problem,
        'List the folders of both splits, or use split.trainShare or split.testUsers.',
      );
    }
    for (const [key, mark] of [
      ['testUsers', '{user}'],
      ['testNumbers', '{number}'],
    ] as const)
      if (split[key] !== undefined && !names.includes(mark))
        throw refuse(names, `lacks ${mark}, but there is split.${key}`, `Write ${mark} where names have it.`);
  }
  const patterns = samples.map((files) => ({ files, pattern: compile(files.names, facts) }));
  return (path) => {
    for (const { files, pattern } of patterns) {
      const found = pattern.exec(path)?.groups;
      if (found === undefined) continue;
      const number = (text: string | undefined) => (text === undefined ? null : Number(text));
      const user =
        typeof users === 'object'
          ? users.indexOf(found.user ?? '') + 1 || null
          : number(found.user && users === 'hexadecimal' ? `0x${found.user}` : found.user);
      const isTest =
        split.folders === undefined
          ? (split.testUsers?.includes(user ?? -1) ?? split.testNumbers?.includes(number(found.number) ?? -1))
          : found.split === split.folders.test;
      return {
        files,
        class: number(found.label) ?? classes.indexOf(found.class ?? ''),
        split: isTest === undefined ? null : isTest ? 'test' : 'train',
        number: number(found.number),
        user,
      };
    }
    return null;
  };
}

/** The folders below the root that samples are in, each of which may be zipped; null if they are in others, or in the root itself. */
export function partFolders(facts: SampleFacts): readonly string[] | null {
  const { classes, split, samples } = facts;
  const folders = new Set<string>();
  for (const { names } of samples) {
    const first = names.slice(0, Math.max(0, names.indexOf('/')));
    const those =
      first === '{split}'
        ? Object.values(split.folders ?? {})
        : first === '{class}'
          ? classes
          : first === '{label}'
            ? classes.map((_, i) => String(i))
            : null;
    if (those === null) return null;
    for (const one of those) folders.add(one);
  }
  return [...folders];
}

/** What samples are called, for messages: `Train/<class>/<number>.bin, Test/<class>/<number>.bin`. */
export function describeNames({ samples, split }: SampleFacts): string {
  const folders = Object.values(split.folders ?? { none: '' });
  const each = samples.flatMap(({ names }) => folders.map((folder) => names.replace('{split}', folder)));
  return [...new Set(each)].map((names) => names.replace(/\{(\w+)\}/g, '<$1>')).join(', ');
}
