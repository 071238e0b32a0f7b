import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReproError } from '../../errors.ts';

/**
 * The compiled stage host: `dist/stage/host.js` of this package, wherever in `dist/` or `src/` we are.
 *
 * @throws {ReproError} `not-compiled`
 */
export function findHostFile(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder);
  }
  const file = path.join(folder, 'dist', 'stage', 'host.js');
  if (!existsSync(file)) {
    throw new ReproError('not-compiled', 'the stage host is not compiled', {
      where: file,
      fix: 'npm run build',
    });
  }
  return file;
}
