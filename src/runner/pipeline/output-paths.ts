import { relatePaths } from './path-trie.ts';
import type { ProjectPaths } from './project-paths.ts';

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
export function refuseOutput(output: string, paths: ProjectPaths): string | undefined {
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
  const link = paths.linkOn(output);
  return link === undefined ? undefined : `is behind the link "${link.path}" to "${link.target}".`;
}
