import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { isAtOrBelow } from '../../base/files/folders.ts';

/**
 * Rejects a path, as it is written, in the `artifacts/` folder of a project, where the runner replaces and deletes files, and where an extra file makes an
 * output altered.
 *
 * @param target a path that need not exist yet
 * @throws {ReproError} `output-reserved`
 */
export function refuseRunnerFolder(target: string, fix: string): void {
  const absolute = path.resolve(target);
  for (let root = absolute; ; root = path.dirname(root)) {
    const folder = path.join(root, 'artifacts');
    const isInside = isAtOrBelow(absolute, folder);
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
