import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import { isAtOrBelow } from '../files/path-below.ts';

/**
 * Rejects a path in the `artifacts/` folder of a project, where the runner replaces and deletes files, and where an extra file makes an
 * output altered.
 *
 * @param target a path that need not exist yet
 * @throws {ReproError} `output-reserved`
 */
export function refuseRunnerFolder(target: string, fix: string): void {
  const real = resolveLinks(path.resolve(target));
  for (let root = real; ; root = path.dirname(root)) {
    const folder = path.join(root, 'artifacts');
    const isInside = isAtOrBelow(real, folder);
    if (isInside && existsSync(path.join(root, 'pipeline.yaml'))) {
      throw new ReproError(
        'output-reserved',
        'artifacts/ is reserved for outputs of stages: the runner replaces and deletes files there.',
        { where: target, fix },
      );
    }
    if (root === path.dirname(root)) return;
  }
}

/** The path, with symbolic links in its existing part resolved. */
function resolveLinks(target: string): string {
  if (existsSync(target)) return realpathSync(target);
  const parent = path.dirname(target);
  return parent === target ? target : path.join(resolveLinks(parent), path.basename(target));
}
