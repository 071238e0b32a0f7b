import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../errors.ts';

/** The nearest folder, from `start` upwards, that contains a `pipeline.yaml`. */
export function findProjectRoot(start: string): string {
  for (let folder = path.resolve(start); ; ) {
    if (existsSync(path.join(folder, 'pipeline.yaml'))) return folder;
    const parent = path.dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new ReproError('no-pipeline', `no pipeline.yaml in ${start} or any folder above it`, {
    fix: 'Run repro inside the project, or name its folder: `repro --project DIR …`.',
  });
}
