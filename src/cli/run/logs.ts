import { createReadStream, existsSync } from 'node:fs';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import { ReproError } from '../../errors.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { Attempts } from '../../runner/store/attempts.ts';
import { type CacheFolder, cacheFolderOf, logFileOf } from '../../runner/store/cache-folder.ts';
import { Records } from '../../runner/store/records.ts';
import { Store } from '../../runner/store/store.ts';
import { printJson, printWarning } from '../view/print.ts';

interface LogsOptions extends PipelineOptions {
  readonly path?: boolean;
  readonly json?: boolean;
}

/** `repro logs STAGE`: prints the log of the stage's result, or of its last run if that failed or is under way. */
export async function logs(target: string, options: LogsOptions): Promise<void> {
  const plan = await loadPlanForReading(options, printWarning);
  const folder = cacheFolderOf(plan);
  const { named } = selectInstances(plan, { targets: [target] });
  const found = (await Promise.all([...named].map((id) => findLog(folder, id)))).filter(
    (log) => log !== null,
  );
  if (options.json === true) {
    printJson({ version: 1, command: 'logs', logs: found });
    return;
  }
  if (found.length === 0) {
    throw new ReproError('no-log', `"${target}" has not run here, so it has no log`, {
      fix: `Run it: ./repro run ${target}`,
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

/** The log of the result in place is in the store; the file by the stage's name is that of the last run, whichever it was. */
async function findLog(folder: CacheFolder, id: string): Promise<{ id: string; file: string } | null> {
  const last = logFileOf(folder, id);
  const hasUnfinished = new Attempts(folder).find(id) !== null;
  const { log } = new Records(folder).findLast(id) ?? {};
  const kept = hasUnfinished || log === undefined ? null : await new Store(folder.store).findStored(log);
  if (kept !== null) return { id, file: kept };
  return existsSync(last) && (hasUnfinished || log === undefined) ? { id, file: last } : null;
}
