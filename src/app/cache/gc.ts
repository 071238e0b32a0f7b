import process from 'node:process';
import { formatBytes, formatCount, formatMinute } from '../../base/text.ts';
import { collectGarbage } from '../../runner/extras/gc.ts';
import { describeConfiguration, type RunRecord } from '../../runner/store/records.ts';
import { findProjectRoot } from '../project/load-plan.ts';
import { printResult, toOneLine } from '../view/print.ts';

interface GcOptions {
  readonly project?: string;
  readonly days: number;
  readonly forget: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `repro gc`: removes from the cache what no kept record needs, or says what it would remove. */
export async function gc(options: GcOptions): Promise<void> {
  const { days, forget: forgotten, dryRun: isDryRun = false } = options;
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const report = await collectGarbage({ projectRoot, days, forgotten, isDryRun });
  const { garbage, sizeBytes: freedBytes, keptRecords, removedRecords } = report;
  const document = {
    ...{ dryRun: isDryRun, freedBytes, keptRecords, removed: garbage.length },
    records: removedRecords.map((record) => {
      const { id, fingerprint, profile, overrides = [], startedAt } = record;
      return { id, fingerprint, profile, overrides, startedAt, sizeBytes: sizeOf(record) };
    }),
  };
  printResult(options, 'gc', document, () => {
    const idWidth = Math.max(0, ...removedRecords.map(({ id }) => id.length));
    const lines = removedRecords.map((record) => {
      const [time, size] = [formatMinute(record.startedAt), formatBytes(sizeOf(record)).padStart(9)];
      return toOneLine([record.id.padEnd(idWidth), time, size, describeConfiguration(record)].join('  '));
    });
    const verb = isDryRun ? 'would be freed' : 'freed';
    return [...lines, `${formatBytes(freedBytes)} ${verb}; ${formatCount(keptRecords, 'record')} kept`];
  });
}

/** Of what it made; other records may need some of it. */
function sizeOf({ outputs }: RunRecord): number {
  return outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
