import path from 'node:path';
import process from 'node:process';
import type { Dataset } from '../datasets/dataset.ts';
import { ReproError } from '../errors.ts';
import { findProjectRoot } from './project.ts';

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
