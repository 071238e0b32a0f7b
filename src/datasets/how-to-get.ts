import { formatBytes } from '../text.ts';
import type { PublishedFile } from './dataset.ts';

import { rootOption, showPath } from './show-path.ts';

/** `Train.zip (md5 2095…)`, with its size if the publisher gives one. */
export function describeFile({ name, checksum, sizeBytes }: PublishedFile): string {
  const size = sizeBytes === null ? '' : `${formatBytes(sizeBytes)}, `;
  return `${name} (${size}${checksum.kind} ${checksum.hex})`;
}

/** The last step of every instruction: `repro run verify` and `npm run reproduce` with the options that lead to `root`. */
export function thenRun(profile: string, root: string, usualRoot: string): string[] {
  const option = rootOption(root, usualRoot);
  return [
    'Run again (with the same --profile and other --set options as before):',
    `   ./repro run verify --profile ${profile}${option}      (checks every file)`,
    `   npm run reproduce -- --profile ${profile}${option}`,
  ];
}

/** For data that can be downloaded directly: one command, and the same by hand. */
export function howToFetch(
  facts: {
    readonly name: string;
    readonly title: string;
    readonly licence: string;
    readonly homepage: string;
    readonly profile: string;
    readonly usualRoot: string;
    readonly files: readonly PublishedFile[];
  },
  root: string,
): string {
  const option = showPath(root) === facts.usualRoot ? '' : ` --root ${showPath(root)}`;
  return [
    `${facts.title} (${facts.licence}) can be downloaded by one command:`,
    `   ./repro data fetch ${facts.name}${option}`,
    `or by hand, into ${showPath(root)}:`,
    ...facts.files.flatMap((file) => [`   ${describeFile(file)} from`, `      ${file.urls[0]}`]),
    ...thenRun(facts.profile, root, facts.usualRoot),
  ].join('\n');
}
