import path from 'node:path';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { findProjectRoot } from '../../apps/load-plan.ts';
import { collectGarbage } from '../../runner/extras/gc/collect-garbage.ts';
import { type GarbageKind, garbageKinds, measureSize } from '../../runner/extras/gc/find-garbage.ts';
import { type KeepRule, parseKeepRule } from '../../runner/extras/gc/kept-records.ts';
import { findRestorable } from '../../runner/extras/gc/restorable.ts';
import { describeConfiguration, type RunRecord } from '../../runner/store/records.ts';
import { setAsideFolder } from '../../runner/store/set-aside.ts';
import { formatBytes, formatCount, formatMinute } from '../../text.ts';
import { printResult, printWarning, toOneLine } from '../view/print.ts';

interface GcOptions {
  readonly project?: string;
  readonly keep: readonly string[];
  readonly forget: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const words: Readonly<Record<GarbageKind, string>> = {
  records: 'records of earlier runs',
  trees: 'lists of files',
  files: 'files of outputs, and logs',
  code: 'compiled stages',
  resume: 'folders of interrupted work',
  logs: 'logs',
  leftovers: 'incomplete files of killed runs',
};

/** `repro gc`: removes from the cache what no kept record needs, or says what it would remove. */
export async function gc(options: GcOptions): Promise<void> {
  const isDryRun = options.dryRun === true;
  const rules: KeepRule[] = options.keep.map(parseKeepRule);
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const restorable = await findRestorable(projectRoot, factsOf(projectRoot), (text) =>
    printWarning(toOneLine(text)),
  );
  const report = await collectGarbage({
    projectRoot,
    rules,
    restorable,
    forgotten: options.forget,
    isDryRun,
  });
  const kinds = garbageKinds.map((kind) => {
    const ofKind = report.garbage.filter((one) => one.kind === kind);
    return { kind, count: ofKind.length, sizeBytes: ofKind.reduce((sum, one) => sum + one.sizeBytes, 0) };
  });
  const freedBytes = kinds.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { keptRecords, removedRecords } = report;
  const setAsideBytes = await measureSize(path.join(projectRoot, setAsideFolder));
  const document = {
    dryRun: isDryRun,
    freedBytes,
    keptRecords,
    removed: Object.fromEntries(kinds.map(({ kind, ...figures }) => [kind, figures])),
    records: removedRecords.map((record) => {
      const { id, fingerprint, profile, overrides = [], startedAt } = record;
      return { id, fingerprint, profile, overrides, startedAt, sizeBytes: sizeOf(record) };
    }),
  };
  printResult(options, 'gc', document, () => {
    const idWidth = Math.max(0, ...removedRecords.map(({ id }) => id.length));
    const verb = isDryRun ? 'would be freed' : 'freed';
    return [
      ...removedRecords.map((record) => {
        const size = formatBytes(sizeOf(record)).padStart(9);
        const columns = [
          record.id.padEnd(idWidth),
          formatMinute(record.startedAt),
          size,
          describeConfiguration(record),
        ];
        return toOneLine(columns.join('  '));
      }),
      ...kinds
        .filter(({ count }) => count > 0)
        .map(({ kind, count, sizeBytes }) => `${words[kind]}: ${count}, ${formatBytes(sizeBytes)}`),
      ...(setAsideBytes === 0
        ? []
        : [
            `${formatBytes(setAsideBytes)} of your own files stay in ${setAsideFolder}: delete what you no longer need`,
          ]),
      `${formatBytes(freedBytes)} ${verb}; ${formatCount(keptRecords, 'record')} kept`,
    ];
  });
}

/** Of what it made; other records may need some of it. */
function sizeOf({ outputs }: RunRecord): number {
  return outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
