import path from 'node:path';
import { getAt, getOwn } from '../../schema/json.ts';
import { formatPlace } from '../../schema/problems.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { type Difference, findDifferences, isSameJson } from './differences.ts';
import type { Facts } from './fingerprint.ts';
import type { Freshness } from './freshness.ts';
import { InstanceStates, type StateReport } from './instance-state.ts';
import { compareTexts, type TextDiff, type TextVersions, textFilesAtMost } from './kept-texts.ts';
import { describeDifference } from './reasons.ts';
import { type ComparedRun, findRun } from './recorded-runs.ts';
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

class Explainer {
  readonly #session: Session;
  readonly #options: ExplainOptions;
  readonly #states: InstanceStates;

  constructor(session: Session, options: ExplainOptions) {
    this.#session = session;
    this.#options = options;
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
    const { freshness, plan, store } = this.#session;
    const trees = freshness.treesOf(instance);
    const explained: ExplainedDifference[] = [];
    for (const difference of await findDifferences(against.parts, parts, trees)) {
      const where = this.#placeOf(difference);
      const diffs: { path: string; diff: TextDiff }[] = [];
      for (const versions of await this.#textsOf(instance, difference, against)) {
        const diff = await compareTexts(store, plan.projectRoot, versions);
        diffs.push({ path: versions.file, diff });
      }
      const reason = describeDifference(difference);
      explained.push({ difference, reason, ...(where === undefined ? {} : { where }), diffs });
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

  /** The texts whose lines tell more of a difference. */
  async #textsOf(
    { command }: StageInstance,
    difference: Difference,
    against: ComparedRun,
  ): Promise<TextVersions[]> {
    if (!this.#options.withDiffs || !('change' in difference) || difference.change !== 'changed') return [];
    if (difference.kind === 'code') {
      const { path: file, before, now } = difference;
      if (command.kind !== 'module') return [{ before, now, file }];
      // As they were and are, comments included; unknown if the present code does not compile.
      const closure = await this.#session.closures.find(command.path).catch(() => null);
      const [old, present] = [against.sources, closure?.sources].map(
        (one) => getOwn(one ?? {}, file) ?? null,
      );
      return [{ before: old ?? null, now: present ?? null, file }];
    }
    if (difference.kind !== 'input' || difference.ofOutputs) return [];
    const { path: input, files, before, now } = difference;
    if (files.length === 0) return [{ before, now, file: input }];
    return files
      .filter(({ change }) => change === 'changed')
      .slice(0, textFilesAtMost)
      .map((one) => ({ before: one.before, now: one.now, file: path.posix.join(input, one.path) }));
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
