import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadSelectedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { pruneCommittedRecords, writeCommittedRecords } from '../../runner/freshness/committed-records.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { readStatus } from '../../runner/run/status.ts';
import { exitCode } from '../process/ending.ts';
import { printResult, printWarning } from '../view/print.ts';

/** `repro lock`: writes the records of what is up to date; exits with 3 if something is not. */
export async function lock(targets: readonly string[], options: PipelineOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { selected, named } = selectInstances(plan, { targets });
  const statuses = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected });
  const good = new Map(
    statuses
      .filter(({ state }) => state === 'fresh' || state === 'restorable')
      .map(({ id, record }) => [id, record]),
  );
  const stale = [...named].filter((id) => !good.has(id));
  // With --set, stages may be missing from the plan; with named stages, only those are meant. Neither makes other records stray.
  const isWhole = targets.length === 0 && plan.trial === undefined;
  const removed = isWhole ? await pruneCommittedRecords(plan) : [];
  const wanted = [...plan.instances.values()].filter(({ id }) => named.has(id));
  const written = await writeCommittedRecords(plan, wanted, (id) => good.get(id) ?? null);
  printResult(options, 'lock', { profile: plan.profile, written, removed, stale }, () => {
    const changed = [
      ...written.map((file) => `written  ${file}`),
      ...removed.map((file) => `removed  ${file}`),
    ];
    return changed.length + stale.length === 0 ? ['every record is as it should be'] : changed;
  });
  if (options.json !== true) {
    for (const id of stale) printWarning(`${id} is not up to date, so its record is left as it is`);
  }
  if (stale.length > 0) process.exitCode = exitCode.stale;
}
