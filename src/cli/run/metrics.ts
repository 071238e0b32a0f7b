import process from 'node:process';
import { readRecord } from '../../runner/cache/records.ts';
import { selectInstances } from '../../runner/selection.ts';
import { loadPlanForReading, type PipelineOptions, printJson } from '../load.ts';
import { formatBytes, formatDone, formatFigure } from '../view/format.ts';
import { toOneLine } from '../view/safe-text.ts';

interface MetricsOptions extends PipelineOptions {
  readonly json?: boolean;
}

/** `repro metrics`: the metrics of each stage's last successful run, with its time and memory. */
export async function metrics(targets: readonly string[], options: MetricsOptions): Promise<void> {
  const plan = await loadPlanForReading(options);
  const { named } = selectInstances(plan, { targets });
  const records = await Promise.all(
    [...named].map(async (id) => ({ id, record: await readRecord(plan, id) })),
  );
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'metrics',
      profile: plan.profile,
      instances: records.map(({ id, record }) => ({
        id,
        seconds: record?.seconds ?? null,
        peakMemoryBytes: record?.peakMemoryBytes ?? null,
        metrics: record?.metrics ?? null,
      })),
    });
    return;
  }
  for (const { id, record } of records) {
    if (record === null) {
      process.stdout.write(`${id}  has not run\n`);
      continue;
    }
    process.stdout.write(
      `${id}  ${formatDone(record)}, ${record.peakMemoryBytes === null ? 'memory unknown' : formatBytes(record.peakMemoryBytes)}\n`,
    );
    const names = Object.keys(record.metrics).map(toOneLine);
    const width = Math.max(0, ...names.map((name) => name.length));
    for (const [i, value] of Object.values(record.metrics).entries()) {
      const text = typeof value === 'number' ? formatFigure(value) : toOneLine(String(value));
      process.stdout.write(`  ${(names[i] ?? '').padEnd(width)}  ${text}\n`);
    }
  }
}
