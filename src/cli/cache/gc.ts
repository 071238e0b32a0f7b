import path from 'node:path';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { findProjectRoot } from '../../apps/load-plan.ts';
import { collectGarbage, type GarbageReport } from '../../runner/extras/gc/collect-garbage.ts';
import { type GarbageKind, garbageKinds, measureSize } from '../../runner/extras/gc/find-garbage.ts';
import { type KeepRule, parseKeepRule } from '../../runner/extras/gc/kept-records.ts';
import { findRestorable } from '../../runner/extras/gc/restorable.ts';
import { describeConfiguration, type RunRecord } from '../../runner/store/records.ts';
import { setAsideFolder } from '../../runner/store/set-aside.ts';
import { formatBytes } from '../../text.ts';
import { printJson, printWarning } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

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
  files: 'files of outputs and texts',
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
  const kinds = summarise(report);
  const freedBytes = kinds.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'gc',
      dryRun: isDryRun,
      freedBytes,
      keptRecords: report.keptRecords,
      removed: Object.fromEntries(kinds.map(({ kind, ...figures }) => [kind, figures])),
      records: report.removedRecords.map((record) => ({
        id: record.id,
        fingerprint: record.fingerprint,
        profile: record.profile,
        overrides: record.overrides ?? [],
        startedAt: record.startedAt,
        sizeBytes: sizeOf(record),
      })),
    });
    return;
  }
  if (report.holder !== null) {
    printWarning(`another run holds this folder (process ${report.holder}); gc is refused until it ends`);
  }
  const idWidth = Math.max(0, ...report.removedRecords.map(({ id }) => id.length));
  for (const record of report.removedRecords) {
    const started = `${record.startedAt.slice(0, 16).replace('T', ' ')} UTC`;
    const size = formatBytes(sizeOf(record)).padStart(9);
    process.stdout.write(
      `${toOneLine(`${record.id.padEnd(idWidth)}  ${started}  ${size}  ${describeConfiguration(record)}`)}\n`,
    );
  }
  for (const { kind, count, sizeBytes } of kinds) {
    if (count > 0) process.stdout.write(`${words[kind]}: ${count}, ${formatBytes(sizeBytes)}\n`);
  }
  const setAsideBytes = await measureSize(path.join(projectRoot, setAsideFolder));
  if (setAsideBytes > 0) {
    process.stdout.write(
      `${formatBytes(setAsideBytes)} of your own files stay in ${setAsideFolder}: delete what you no longer need\n`,
    );
  }
  const verb = isDryRun ? 'would be freed' : 'freed';
  process.stdout.write(
    `${formatBytes(freedBytes)} ${verb}; ${report.keptRecords} ${report.keptRecords === 1 ? 'record' : 'records'} kept\n`,
  );
}

/** Of what it made; other records may need some of it. */
function sizeOf({ outputs }: RunRecord): number {
  return outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function summarise({
  garbage,
}: GarbageReport): { readonly kind: GarbageKind; readonly count: number; readonly sizeBytes: number }[] {
  return garbageKinds.map((kind) => {
    const ofKind = garbage.filter((one) => one.kind === kind);
    return { kind, count: ofKind.length, sizeBytes: ofKind.reduce((sum, one) => sum + one.sizeBytes, 0) };
  });
}
