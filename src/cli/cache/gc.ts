import process from 'node:process';
import { collectGarbage, type GarbageReport } from '../../runner/cache/gc/collect-garbage.ts';
import { type KeepRule, parseKeepRule } from '../../runner/cache/gc/keep-rules.ts';
import { type GarbageKind, garbageKinds } from '../../runner/cache/gc/sweep.ts';
import { printWarning } from '../lines.ts';
import { printJson } from '../load.ts';
import { findProjectRoot } from '../project.ts';
import { formatBytes } from '../view/format.ts';
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

/** More lines than this do not help the reader. */
const recordsAtMost = 20;

/** `repro gc`: removes from the cache what no kept record needs, or says what it would remove. */
export async function gc(options: GcOptions): Promise<void> {
  const isDryRun = options.dryRun === true;
  const rules: KeepRule[] = options.keep.map(parseKeepRule);
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const report = await collectGarbage({ projectRoot, rules, forgotten: options.forget, isDryRun });
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
      records: report.removedRecords.map(({ id, fingerprint, profile, startedAt }) => ({
        id,
        fingerprint,
        profile,
        startedAt,
      })),
    });
    return;
  }
  if (report.holder !== null) {
    printWarning(`another run holds this folder (process ${report.holder}): until it ends, gc is refused`);
  }
  for (const { id, fingerprint, profile, startedAt } of report.removedRecords.slice(0, recordsAtMost)) {
    process.stdout.write(
      `${toOneLine(`${id}  ${startedAt.slice(0, 16)}Z  ${profile}  ${fingerprint.slice(0, 12)}`)}\n`,
    );
  }
  const more = report.removedRecords.length - recordsAtMost;
  if (more > 0) process.stdout.write(`and ${more} more\n`);
  for (const { kind, count, sizeBytes } of kinds) {
    if (count > 0) process.stdout.write(`${words[kind]}: ${count}, ${formatBytes(sizeBytes)}\n`);
  }
  const verb = isDryRun ? 'would be freed' : 'freed';
  process.stdout.write(
    `${formatBytes(freedBytes)} ${verb}; ${report.keptRecords} ${report.keptRecords === 1 ? 'record' : 'records'} kept\n`,
  );
}

function summarise({
  garbage,
}: GarbageReport): { readonly kind: GarbageKind; readonly count: number; readonly sizeBytes: number }[] {
  return garbageKinds.map((kind) => {
    const ofKind = garbage.filter((one) => one.kind === kind);
    return { kind, count: ofKind.length, sizeBytes: ofKind.reduce((sum, one) => sum + one.sizeBytes, 0) };
  });
}
