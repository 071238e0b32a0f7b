import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type InstanceStatus, readStatus } from '../../runner/run/status.ts';
import { describeRun } from '../../runner/store/records.ts';
import { formatBytes } from '../../text.ts';
import { colorsFor } from '../view/colors.ts';
import { formatDone, formatFigure } from '../view/format.ts';
import { printJson, printWarning } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

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
