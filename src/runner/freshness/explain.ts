import { isSameJson } from '../../files/canonical-json.ts';
import { getAt } from '../../schema/json.ts';
import { formatPlace } from '../../schema/problems.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunRecord } from '../store/records.ts';
import { type Difference, findDifferences, type StaleReason } from './differences.ts';
import type { Facts } from './fingerprint.ts';
import type { Freshness } from './freshness.ts';
import { createStateReporter, type StateReport } from './instance-state.ts';
import { findRecordedRun } from './recorded-runs.ts';
import { checkInstances, openSession, saveDigests } from './session.ts';

/** With, for a parameter, where its present value was set. */
export type ExplainedDifference = Difference & { readonly where: string | null };

/** Why an instance has to run, or in what its present state differs from a recorded run. */
export interface Explanation extends StateReport {
  readonly id: string;
  readonly against: RunRecord | null;
  readonly differences: readonly ExplainedDifference[];
  /** Reasons other than differences from a record: missing or altered outputs, a damaged record, a stage module that does not compile. */
  readonly reasons: readonly StaleReason[];
  /** What has to run first, and why, in plan order. */
  readonly waitsFor: readonly AwaitedStage[];
}

interface AwaitedStage {
  readonly id: string;
  readonly reasons: readonly StaleReason[];
  /** Whether it would also be stale if nothing before it were: false if it only waits for others. */
  readonly isCause: boolean;
}

interface ExplainOptions {
  readonly facts: Facts;
  /** What was selected, with everything it depends on. */
  readonly selected: ReadonlySet<string>;
  readonly named: ReadonlySet<string>;
  /** See {@link findRecordedRun}. */
  readonly against: string;
  readonly environment?: NodeJS.ProcessEnv;
}

export async function explainInstances(plan: Plan, options: ExplainOptions): Promise<Explanation[]> {
  const session = openSession(plan, options);
  const reportState = createStateReporter(session);
  const ids = [...plan.instances.keys()].filter((id) => options.selected.has(id));
  const stale = new Map<string, AwaitedStage>();
  const explanations: Explanation[] = [];
  for await (const { instance, freshness } of checkInstances(session, ids, () => false)) {
    const { id } = instance;
    if (!('record' in freshness)) stale.set(id, describeAwaited(id, freshness));
    if (!options.named.has(id)) continue;
    const against = findRecordedRun(options.against, { plan, records: session.records, instance });
    const parts = 'record' in freshness ? freshness.record.parts : freshness.parts;
    const reasons = 'reasons' in freshness ? freshness.reasons : [];
    const isOwn = ({ cue }: StaleReason): boolean => cue.startsWith('output-') || cue === 'record';
    const differences =
      parts === null || against === null
        ? []
        : await findDifferences(against.parts, parts, session.freshness.treesOf(instance));
    explanations.push({
      id,
      ...reportState(id, freshness),
      against,
      differences: differences.map((one) => ({ ...one, where: placeOf(plan, one) })),
      reasons: parts === null ? reasons : reasons.filter(isOwn),
      waitsFor: upstreamOf(plan, id).flatMap((one) => stale.get(one) ?? []),
    });
  }
  await saveDigests(session);
  return explanations;
}

function placeOf(plan: Plan, difference: Difference): string | null {
  if (difference.kind !== 'param' || difference.now === undefined) return null;
  const at = difference.name.split('.');
  // A matrix variable may have the name of a setting.
  return isSameJson(getAt(plan.settings, at), difference.now) ? formatPlace(plan.places.place(at)) : null;
}

function describeAwaited(
  id: string,
  { reasons, parts }: Extract<Freshness, { kind: 'stale' | 'never-run' }>,
): AwaitedStage {
  const waiting = parts?.inputs.filter(({ waitsFor }) => waitsFor !== undefined).length ?? 0;
  return { id, reasons, isCause: reasons.length > waiting };
}

function upstreamOf(plan: Plan, id: string): string[] {
  const reached = new Set(plan.dependencies.get(id) ?? []);
  for (const one of reached) for (const next of plan.dependencies.get(one) ?? []) reached.add(next);
  return [...plan.instances.keys()].filter((one) => reached.has(one));
}
