import { setImmediate } from 'node:timers/promises';
import { compareCodeUnits, isSameJson } from '../../files/canonical-json.ts';
import { getAt, type JsonObject, omitAt } from '../../schema/json.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { FingerprintParts, InputPart } from '../store/fingerprint-parts.ts';
import { durationOf, type Records, type RunRecord } from '../store/records.ts';
import { type SchedulerOptions, schedule } from './scheduler.ts';

export interface ExpectedTime {
  readonly seconds: number;
  /** The last run of its own; one with other settings or inputs, which may take another time; that of another instance of its stage. */
  readonly from: 'own-run' | 'other-settings' | 'same-stage';
  /** What differs from that run and is allowed for: keys and inputs under `effort:`. */
  readonly scaledBy?: readonly string[];
}

export interface ExpectedTotal {
  /** With as many stages at once as there may be; instances without an expectation count nothing. */
  readonly seconds: number;
  /** Instances without an expectation: if there are any, the run takes longer. */
  readonly unknown: number;
}

type KnownParts = Pick<FingerprintParts, 'facts' | 'inputs'>;

/**
 * Expects runs to take as long as the last ones of the same profile, in proportion to what is under `effort:` in pipeline.yaml. Those of
 * another profile work on other data, those with other facts on another engine: they say nothing about this one.
 */
export class ExpectedTimes {
  readonly #plan: Plan;
  readonly #facts: Facts;
  /** Of this profile, latest first. */
  readonly #records: readonly RunRecord[];
  /** By digest. */
  readonly #sizes: ReadonlyMap<string, number>;

  constructor(plan: Plan, records: Records, facts: Facts) {
    this.#plan = plan;
    this.#facts = facts;
    this.#records = [...records.listLast(), ...records.listActions()]
      .filter((record) => record.profile === plan.profile)
      .sort((a, b) => compareCodeUnits(b.startedAt, a.startedAt));
    const outputs = this.#records.flatMap((record) => record.outputs);
    this.#sizes = new Map(outputs.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  }

  /**
   * @param parts what is known of the coming run's fingerprint; null if nothing is
   * @returns null without an earlier run that can be compared
   */
  find(instance: StageInstance, parts: KnownParts | null): ExpectedTime | null {
    const { params, effort = { keys: [], inputs: [] } } = instance;
    const comparable = this.#records.filter(
      (one) => one.stage === instance.stage && this.#hasFacts(one, parts),
    );
    const own = comparable.filter(({ id }) => id === instance.id);
    const record = own.find((one) => hasParams(one, instance)) ?? own[0] ?? comparable[0];
    if (record === undefined) return null;
    const ratios = new Map<string, number | null>();
    for (const key of effort.keys) ratios.set(key, ratioAt(params, record.parts.params, key));
    for (const input of parts?.inputs ?? []) {
      const then = record.parts.inputs.find(({ path }) => path === input.path);
      if (effort.inputs.includes(input.path)) ratios.set(input.path, this.#ratioOfSizes(input, then));
      else if (input.digest !== null && input.digest !== then?.digest) ratios.set(input.path, null);
    }
    const scaled = [...ratios].filter(([, ratio]) => ratio !== null && ratio !== 1);
    const keys = effort.keys.map((key) => key.split('.'));
    const isSame = hasParams(record, instance, keys) && ![...ratios.values()].includes(null);
    return {
      seconds: scaled.reduce((seconds, [, ratio]) => seconds * (ratio ?? 1), durationOf(record)),
      from: record.id !== instance.id ? 'same-stage' : isSame ? 'own-run' : 'other-settings',
      ...(scaled.length === 0 ? {} : { scaledBy: scaled.map(([name]) => name) }),
    };
  }

  /** Those of the machine: what the runner itself knows of a run says nothing about its speed. */
  #hasFacts({ parts: then }: RunRecord, parts: KnownParts | null): boolean {
    const now = parts?.facts ?? {};
    return Object.keys(this.#facts).every(
      (name) => now[name] === undefined || now[name] === then.facts[name],
    );
  }

  /** null if it is unknown. To two digits: small differences, as in a log, are no news. */
  #ratioOfSizes(now: InputPart, then: InputPart | undefined): number | null {
    if (now.digest === null) {
      // What makes it has to run first: with its former settings, it will make as much again.
      const makers = (now.waitsFor ?? []).map((id) => instanceOf(this.#plan, id));
      const isAsBefore = (maker: StageInstance): boolean =>
        this.#records.some((one) => one.id === maker.id && hasParams(one, maker));
      return makers.every(isAsBefore) ? 1 : null;
    }
    const sizeOf = (part: InputPart | undefined): number | undefined =>
      Object.values(part?.of ?? { one: part?.digest ?? '' })
        .map((digest) => this.#sizes.get(digest))
        .reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
    const [sizeNow, sizeThen] = [sizeOf(now), sizeOf(then)];
    return sizeNow && sizeThen ? Math.round((100 * sizeNow) / sizeThen) / 100 : null;
  }
}

/** Whether an instance ran with the settings that it has now, apart from those of the machine and these. */
function hasParams(
  { parts }: RunRecord,
  { params, machineParams = [] }: StageInstance,
  others: readonly (readonly string[])[] = [],
): boolean {
  const leftOut = [...machineParams, ...others];
  return isSameJson(leftOut.reduce(omitAt, params), leftOut.reduce(omitAt, parts.params));
}

function ratioAt(now: JsonObject, then: JsonObject, key: string): number | null {
  const [a, b] = [getAt(now, key.split('.')), getAt(then, key.split('.'))];
  if (a === b) return 1;
  return typeof a === 'number' && typeof b === 'number' && a > 0 && b > 0 ? a / b : null;
}

/**
 * How long a run would take: the scheduler itself decides what runs when, on a clock that jumps to the next end.
 *
 * @param secondsOf of an instance that has to run; 0 if unknown; null if it need not run
 */
export async function expectDuration(
  options: Pick<SchedulerOptions, 'ids' | 'dependenciesOf' | 'resourcesOf' | 'jobs' | 'machine'>,
  secondsOf: (id: string) => number | null,
): Promise<number> {
  let nowSeconds = 0;
  let isDone = false;
  const running: { readonly endSeconds: number; readonly end: () => void }[] = [];
  const scheduled = schedule({
    ...options,
    secondsOf: (id) => secondsOf(id) || null,
    signal: new AbortController().signal,
    onBlocked: () => {},
    prepare: async (id) => {
      const seconds = secondsOf(id);
      if (seconds === null) return 'hit';
      return () =>
        new Promise((resolve) => {
          running.push({ endSeconds: nowSeconds + seconds, end: () => resolve('done') });
        });
    },
  }).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    // Nothing here waits for anything but promises, so by now the scheduler has started all that can start.
    await setImmediate();
    const [next] = running.sort((a, b) => a.endSeconds - b.endSeconds);
    if (next === undefined) continue;
    running.shift();
    nowSeconds = next.endSeconds;
    next.end();
  }
  await scheduled;
  return nowSeconds;
}
