import { quoteWord } from '../../files/shell-words.ts';
import type { Problem } from '../../schema/problems.ts';
import { relatePaths } from './path-trie.ts';
import type { PathLink } from './project-paths.ts';

/**
 * The one folder that the runner writes to. It replaces and deletes outputs and resume folders, so anywhere else one
 * mistyped path, or one `--set` naming someone's recordings, would destroy their work.
 */
const writable = 'artifacts';

/** The parts of it that belong to no stage: the runner's store, records and logs; and the README of the folder. */
const store = `${writable}/.cache`;
const page = `${writable}/README.md`;

/** What is wrong with an input (follows `input "x" `), or undefined. */
export function refuseInput(input: string): string | undefined {
  return isAtOrInside(input, store) ? `is in "${store}", which changes with every run.` : undefined;
}

/**
 * What is wrong with an output or a resume folder (follows `output "x" `), or undefined.
 *
 * @param output in the project's form: relative, without `.` and `..`
 */
export function refuseOutput(output: string): string | undefined {
  if (relatePaths(output, writable) !== 'inside') return `is not below ${writable}/.`;
  // On case-insensitive file systems the store has many spellings.
  const folded = output.toLowerCase();
  if (isAtOrInside(folded, store)) return `is in "${store}", which belongs to the runner.`;
  return isAtOrInside(folded, page.toLowerCase())
    ? `would replace "${page}", which is not generated.`
    : undefined;
}

/** A link at or below artifacts/, in the way of what stages write there: the same problem for every stage that it concerns. */
export function describeLink({ path, target }: PathLink): Problem {
  const advice =
    path === writable
      ? [
          `To keep ${writable}/ on another disk, mount a folder of it there:`,
          `mkdir ${writable} && sudo mount --bind ${quoteWord(target)} ${writable}`,
        ]
      : [];
  return {
    at: path,
    message: `is a symbolic link to "${target}", and the runner replaces and deletes what is there.`,
    fix: [`Remove the link, which leaves what it leads to alone: rm ${quoteWord(path)}`, ...advice].join(
      '\n',
    ),
  };
}

export function isInArtifacts(path: string): boolean {
  return isAtOrInside(path, writable);
}

function isAtOrInside(path: string, folder: string): boolean {
  return ['equal', 'inside'].includes(relatePaths(path, folder));
}
