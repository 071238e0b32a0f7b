import path from 'node:path';
import { getAt, getOwn } from '../../schema/json.ts';
import { formatPlace } from '../../schema/problems.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { RunRecord } from '../store/records.ts';
import { type Difference, findDifferences, isSameJson } from './differences.ts';
import type { Facts } from './fingerprint.ts';
import type { Freshness } from './freshness.ts';
import { InstanceStates, type StateReport } from './instance-state.ts';
import { type TextDiff, TextDiffs, textFilesAtMost } from './kept-texts.ts';
import { describeDifference } from './reasons.ts';
import { type ComparedRun, findRun, listRuns } from './recorded-runs.ts';
import { checkAll, openSession, type Session, saveDigests } from './session.ts';
import type { StaleReason } from './stale-reason.ts';

export interface ExplainedDifference {
  readonly difference: Difference;
  readonly reason: StaleReason;
  /** For a parameter: where its present value was set. */
  readonly where?: string;
  readonly diffs: readonly { readonly path: string; readonly diff: TextDiff }[];
}

/** Why an instance has to run, or in what its present state differs from a recorded run. */
export interface Explanation extends StateReport {
  readonly id: string;
  readonly against: ComparedRun | null;
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
  /** See {@link findRun}. */
  readonly against: string;
  readonly withDiffs: boolean;
  readonly cacheRoot?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

export async function explainInstances(plan: Plan, options: ExplainOptions): Promise<Explanation[]> {
  const session = openSession(plan, options);
  const explainer = new Explainer(session, options);
  const ids = [...plan.instances.keys()].filter((id) => options.selected.has(id));
  const stale = new Map<string, AwaitedStage>();
  const explanations: Explanation[] = [];
  for await (const { instance, freshness } of checkAll(session, ids, () => false)) {
    if (!('record' in freshness)) stale.set(instance.id, describeAwaited(instance.id, freshness));
    if (options.named.has(instance.id))
      explanations.push(await explainer.explain(instance, freshness, stale));
  }
  await saveDigests(session);
  return explanations;
}

export function listRecordedRuns(
  plan: Plan,
  instance: StageInstance,
  options: { facts: Facts },
): RunRecord[] {
  return listRuns(openSession(plan, options).records, instance);
}

class Explainer {
  readonly #session: Session;
  readonly #options: ExplainOptions;
  readonly #texts: TextDiffs;
  readonly #states: InstanceStates;

  constructor(session: Session, options: ExplainOptions) {
    this.#session = session;
    this.#options = options;
    this.#texts = new TextDiffs(session.store, session.plan.projectRoot);
    this.#states = new InstanceStates(session);
  }

  async explain(
    instance: StageInstance,
    freshness: Freshness,
    stale: ReadonlyMap<string, AwaitedStage>,
  ): Promise<Explanation> {
    const { plan, records } = this.#session;
    const against = findRun(this.#options.against, { plan, records, instance });
    const parts = 'record' in freshness ? freshness.record.parts : freshness.parts;
    const reasons = 'reasons' in freshness ? freshness.reasons : [];
    const isOwn = ({ cue }: StaleReason): boolean => cue.startsWith('output-') || cue === 'record';
    return {
      id: instance.id,
      ...this.#states.describe(instance.id, freshness),
      against,
      differences:
        parts === null || against === null ? [] : await this.#explainParts(instance, against, parts),
      reasons: parts === null ? reasons : reasons.filter(isOwn),
      waitsFor: upstreamOf(plan, instance.id)
        .map((id) => stale.get(id))
        .filter((one) => one !== undefined),
    };
  }

  async #explainParts(
    instance: StageInstance,
    against: ComparedRun,
    parts: FingerprintParts,
  ): Promise<ExplainedDifference[]> {
    const { store, freshness } = this.#session;
    const differences = await findDifferences(against.parts, parts, {
      before: (digest) => store.findTree(digest),
      now: (input) => freshness.readInput(instance, input),
    });
    const explained: ExplainedDifference[] = [];
    for (const difference of differences) {
      const where = this.#placeOf(difference);
      const diffs = this.#options.withDiffs ? await this.#diffsOf(instance, difference, against) : [];
      explained.push({
        difference,
        reason: describeDifference(difference),
        ...(where === undefined ? {} : { where }),
        diffs,
      });
    }
    return explained;
  }

  #placeOf(difference: Difference): string | undefined {
    if (difference.kind !== 'param' || difference.now === undefined) return undefined;
    const { plan } = this.#session;
    const at = difference.name.split('.');
    // A matrix variable may have the name of a setting.
    return isSameJson(getAt(plan.settings, at), difference.now)
      ? formatPlace(plan.places.place(at))
      : undefined;
  }

  async #diffsOf(
    instance: StageInstance,
    difference: Difference,
    against: ComparedRun,
  ): Promise<{ path: string; diff: TextDiff }[]> {
    if (difference.kind === 'code') {
      if (difference.change !== 'changed') return [];
      const { path: file } = difference;
      const isModule = instance.command.kind === 'module';
      const before = isModule ? (getOwn(against.sources ?? {}, file) ?? null) : difference.before;
      const now = isModule ? await this.#sourceOf(instance, file) : difference.now;
      return [{ path: file, diff: await this.#texts.compare({ before, now, file }) }];
    }
    if (difference.kind !== 'input' || difference.change !== 'changed' || difference.ofOutputs) return [];
    const { path: input, files, before, now } = difference;
    if (files.length === 0) {
      return [{ path: input, diff: await this.#texts.compare({ before, now, file: input }) }];
    }
    const diffs: { path: string; diff: TextDiff }[] = [];
    for (const one of files.filter(({ change }) => change === 'changed').slice(0, textFilesAtMost)) {
      const file = path.posix.join(input, one.path);
      const versions = { before: one.before, now: one.now, file };
      diffs.push({ path: file, diff: await this.#texts.compare(versions) });
    }
    return diffs;
  }

  /** sha256 of a source's bytes as the stage would now use them; null if it does not compile. */
  async #sourceOf({ command }: StageInstance, file: string): Promise<string | null> {
    if (command.kind !== 'module') return null;
    const closure = await this.#session.closures.find(command.path).catch(() => null);
    return getOwn(closure?.sources ?? {}, file) ?? null;
  }
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
