import { createReadStream, existsSync } from 'node:fs';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { ReproError } from '../../errors.ts';
import { cacheFolderOf, logFileOf } from '../../runner/cache/cache-folder.ts';
import { selectInstances } from '../../runner/selection.ts';
import { loadPlanForReading, type PipelineOptions, printJson } from '../load.ts';

interface LogsOptions extends PipelineOptions {
  readonly path?: boolean;
  readonly json?: boolean;
}

/** `repro logs STAGE`: prints the log of the stage's last run. */
export async function logs(target: string, options: LogsOptions): Promise<void> {
  const plan = await loadPlanForReading(options);
  const folder = cacheFolderOf(plan);
  const { named } = selectInstances(plan, { targets: [target] });
  const found = [...named]
    .map((id) => ({ id, file: logFileOf(folder, id) }))
    .filter(({ file }) => existsSync(file));
  if (options.json === true) {
    printJson({ version: 1, command: 'logs', logs: found });
    return;
  }
  if (found.length === 0) {
    throw new ReproError('no-log', `"${target}" has not run here, so it has no log`, {
      fix: `Run it: npx repro run ${target}`,
    });
  }
  for (const { id, file } of found) {
    if (options.path === true) {
      process.stdout.write(`${file}\n`);
      continue;
    }
    if (found.length > 1) process.stdout.write(`==> ${id} <==\n`);
    await pipeline(createReadStream(file), process.stdout, { end: false });
  }
}
