import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { quoteWord } from '../../base/files/shell-words.ts';
import { formatBytes } from '../../base/text.ts';
import type { DatasetFacts, PublishedFile } from './dataset.ts';

/** `Train.zip (md5 2095…)`, with its size if the publisher gives one. */
export function describePublishedFile({ name, checksum, sizeBytes }: PublishedFile): string {
  const size = sizeBytes === null ? '' : `${formatBytes(sizeBytes)}, `;
  return `${name} (${size}${checksum.kind} ${checksum.hex})`;
}

/** The last step of every instruction: `repro run verify` and `npm run reproduce` with the options that lead to `root`. */
export function thenRun(profile: string, root: string, usualRoot: string): string[] {
  const option = rootOption(root, usualRoot);
  return [
    'Then run (with your other --set options, if any):',
    `   ./repro run verify --profile ${profile}${option}      (checks every file)`,
    `   npm run reproduce -- --profile ${profile}${option}`,
  ];
}

/** For data that can be downloaded directly: one command, and the same by hand. `hints` are lines about the latter. */
export function howToFetch(
  facts: Pick<DatasetFacts, 'name' | 'title' | 'licence' | 'homepage' | 'profile' | 'usualRoot' | 'files'>,
  root: string,
  hints: readonly string[] = [],
): string {
  const isUsual = path.resolve(root) === path.resolve(facts.usualRoot);
  const files = facts.files.filter(({ urls }) => urls.length > 0);
  return [
    `${facts.title} (${facts.licence}) can be downloaded by one command:`,
    `   ./repro data fetch ${facts.name}${isUsual ? '' : ` --root ${quoteWord(showPath(root))}`}`,
    `or by hand, into ${showPath(root)}; the publisher's page is ${facts.homepage}:`,
    ...files.flatMap((file) => [`   ${describePublishedFile(file)} from`, `      ${file.urls[0]}`]),
    ...hints.map((hint) => `   ${hint}`),
    ...thenRun(facts.profile, root, facts.usualRoot),
  ].join('\n');
}

/** Said where the data are not at `dataset.root`. */
const ELSEWHERE =
  'If they are in another folder: --set dataset.root=DIR, relative to the project folder, or `./repro data … --root DIR`.';

/** @throws {ReproError} `data-missing`: the data are not at `root`, and how to get them */
export function failMissing(
  { title, howToGet }: Pick<DatasetFacts, 'title' | 'howToGet'>,
  noun: 'recordings' | 'samples' | 'files',
  root: string,
  what: string,
): never {
  const message = `the ${title} ${noun} were not found: ${path.resolve(root)} ${what}.`;
  throw new ReproError('data-missing', message, {
    where: 'dataset.root',
    fix: [howToGet(root), ELSEWHERE].join('\n'),
  });
}

/** @throws {ReproError} `data-kind` if such data do not exist: besides gestures, a data set is either real or simulated */
export function checkKind(
  facts: Pick<DatasetFacts, 'title' | 'profile' | 'simulated'>,
  noun: 'samples' | 'images',
  simulated: boolean,
): void {
  if ((facts.simulated === true) === simulated) return;
  const { title, profile } = facts;
  const [wrong, there] = simulated ? ['simulated', 'real'] : ['real', 'simulated'];
  throw new ReproError('data-kind', `there are no ${wrong} ${title} ${noun}.`, {
    where: 'dataset.simulated',
    fix:
      `For ${there} ${noun}: ./repro run verify --profile ${profile}` +
      (simulated ? '\nFor simulated gestures: ./repro run --profile quick' : ''),
  });
}

/** A path as a person would write it: relative where that is shorter to read. */
export function showPath(target: string): string {
  const relative = path.relative(process.cwd(), target);
  return relative === '' || relative.startsWith('..') ? target : relative;
}

/** ` --set dataset.root=DIR` for a command that should read `root`; empty if that is the profile's own value. */
export function rootOption(root: string, usual: string): string {
  if (path.resolve(root) === path.resolve(usual)) return '';
  return ` --set ${quoteWord(`dataset.root=${showPath(root)}`)}`;
}
