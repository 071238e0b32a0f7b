import { createReadStream, existsSync } from 'node:fs';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { factsOf } from '../../apps/facts.ts';
import { loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import { ReproError } from '../../errors.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type InstanceStatus, readStatus } from '../../runner/run/status.ts';
import { Attempts } from '../../runner/store/attempts.ts';
import { type CacheFolder, cacheFolderOf, logFileOf } from '../../runner/store/cache-folder.ts';
import { describeRun, Records } from '../../runner/store/records.ts';
import { Store } from '../../runner/store/store.ts';
import { formatBytes } from '../../text.ts';
import { formatDone, formatFigure } from '../view/format.ts';
import { colorsFor, printJson, printWarning } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

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
  const store = new Store(folder.store);
  if (!hasUnfinished && log !== undefined && store.hasFile(log)) return { id, file: store.fileOf(log) };
  return existsSync(last) && (hasUnfinished || log === undefined) ? { id, file: last } : null;
}

interface MetricsOptions extends PipelineOptions {
  readonly json?: boolean;
}

/** `repro metrics`: what each stage measured, with its time and memory. Results of other settings, code or data are marked. */
export async function metrics(targets: readonly string[], options: MetricsOptions): Promise<void> {
  const plan = await loadPlanForReading(options, printWarning);
  const { named, selected } = selectInstances(plan, { targets });
  const all = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected });
  const wanted = all.filter(({ id }) => named.has(id));
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'metrics',
      profile: plan.profile,
      instances: wanted.map(({ id, state, record, isPresent }) => ({
        id,
        state,
        isPresent,
        profile: record?.profile ?? null,
        overrides: record?.overrides ?? [],
        seconds: record?.seconds ?? null,
        peakMemoryBytes: record?.peakMemoryBytes ?? null,
        metrics: record?.metrics ?? null,
      })),
    });
    return;
  }
  for (const one of wanted) printInstance(one, plan.profile);
}

function printInstance({ id, record, isPresent, reasons }: InstanceStatus, profile: string): void {
  if (record === null) {
    process.stdout.write(`${id}  has not run\n`);
    return;
  }
  const memory = record.peakMemoryBytes === null ? 'memory unknown' : formatBytes(record.peakMemoryBytes);
  process.stdout.write(`${id}  ${formatDone(record)}, ${memory}\n`);
  if (!isPresent) {
    const why = [describeRun(record, profile), ...reasons.map(({ text }) => text)].join('; ');
    const mark = `not of the present settings, code and data: ${why}`;
    process.stdout.write(`  ${colorsFor(process.stdout).yellow(toOneLine(mark))}\n`);
  }
  const names = Object.keys(record.metrics).map(toOneLine);
  const width = Math.max(0, ...names.map((name) => name.length));
  for (const [i, value] of Object.values(record.metrics).entries()) {
    const text = typeof value === 'number' ? formatFigure(value) : toOneLine(String(value));
    process.stdout.write(`  ${(names[i] ?? '').padEnd(width)}  ${text}\n`);
  }
}
