import path from 'node:path';
import process from 'node:process';
import type { Dataset } from '../../datasets/contract/dataset.ts';
import { RELATIVE_ROOT } from '../../datasets/contract/how-to-get.ts';
import { ReproError } from '../../errors.ts';
import { findProjectRoot } from '../project.ts';

export interface DataOptions {
  readonly project?: string;
  readonly root?: string;
  readonly json?: boolean;
}

/** The folder of a data set: `--root`, or else its usual place in the project, or below the current folder without one. */
export function rootOf({ usualRoot }: Dataset, { root, project }: DataOptions): string {
  if (root !== undefined) return path.resolve(root);
  return path.resolve(projectOrHere(project), usualRoot);
}

/** Errors about data are worded for the pipeline, whose `dataset.root` is `--root` here, and whose stage `verify` has a log. */
export function sayRoot(error: ReproError): ReproError {
  const { code, message, where, fix, cause } = error;
  return new ReproError(code, message, {
    where: where === 'dataset.root' || where === 'dataset.name' ? undefined : where,
    fix: fix === undefined ? undefined : rewordForData(fix),
    cause,
  });
}

/** Advice for the pipeline in the words of these commands. */
export function rewordForData(advice: string): string {
  return advice
    .replace(`${RELATIVE_ROOT}\n`, '')
    .replace(/^.*`repro logs verify`.*\n/m, '')
    .replace(' For another folder: --set dataset.root=DIR.', ' For another folder: --root DIR.')
    .replaceAll('then `repro run verify`', 'then run this again')
    .replace('Run again (with the same --profile and other --set options as before)', 'Then run');
}

/** Does something with data; errors are worded for these commands. */
export async function withData<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw error instanceof ReproError ? sayRoot(error) : error;
  }
}

function projectOrHere(project: string | undefined): string {
  try {
    return findProjectRoot(project ?? process.cwd());
  } catch (error) {
    if (error instanceof ReproError && error.code === 'no-pipeline' && project === undefined) {
      return process.cwd();
    }
    throw error;
  }
}
