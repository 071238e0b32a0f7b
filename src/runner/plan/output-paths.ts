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
  const relation = relatePaths(input, store);
  if (relation !== 'equal' && relation !== 'inside') return undefined;
  return `is in "${store}", which changes with every run.`;
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
  const storeRelation = relatePaths(folded, store);
  if (storeRelation === 'equal' || storeRelation === 'inside') {
    return `is in "${store}", which belongs to the runner.`;
  }
  const pageRelation = relatePaths(folded, page.toLowerCase());
  if (pageRelation === 'equal' || pageRelation === 'inside') {
    return `would replace "${page}", which is not generated.`;
  }
  return undefined;
}

/** A link at or below artifacts/, in the way of what stages write there: the same problem for every stage that it concerns. */
export function describeLink({ path, target }: PathLink): Problem {
  const advice =
    path === writable
      ? [
          `To keep ${writable}/ on another disk, mount a folder of it there:`,
          `mkdir ${writable} && sudo mount --bind ${quoteForShell(target)} ${writable}`,
        ]
      : [];
  return {
    at: path,
    message: `is a symbolic link to "${target}", and the runner replaces and deletes what is there.`,
    fix: [`Remove the link, which leaves what it leads to alone: rm ${quoteForShell(path)}`, ...advice].join(
      '\n',
    ),
  };
}

export function isInArtifacts(path: string): boolean {
  const relation = relatePaths(path, writable);
  return relation === 'equal' || relation === 'inside';
}

function quoteForShell(word: string): string {
  return /^[\w./@+=][\w./@+=-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
