import { setImmediate } from 'node:timers/promises';
import { compareCodeUnits, isSameJson } from '../../files/canonical-json.ts';
import { getAt, type JsonObject, omitAt } from '../../schema/json.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { instanceOf, makersOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { durationOf, type RecordedOutput, type Records, type RunRecord } from '../store/records.ts';
import { type SchedulerOptions, schedule } from './scheduler.ts';

export interface ExpectedTime {
  readonly seconds: number;
  /** An earlier run of its own; one with other settings, which may take another time; the average of other instances of its stage. */
  readonly from: 'own-run' | 'other-settings' | 'same-stage';
  /** What differs from that run and is allowed for: keys and inputs under `effort:`, and facts. */
  readonly scaledBy?: readonly string[];
}

export interface ExpectedTotal {
  /** With as many stages at once as there may be; instances without an expectation count nothing. */
  readonly seconds: number;
  /** Instances without an expectation: if there are any, the run takes longer. */
  readonly unknown: number;
}

type KnownParts = Pick<FingerprintParts, 'facts' | 'inputs'>;

/** An earlier run, by what it says about a coming one. */
interface Comparison {
  readonly record: RunRecord;
  readonly seconds: number;
  readonly isSame: boolean;
  readonly scaledBy: readonly string[];
}

/** Smaller differences in size, as between recordings of the same kind, do not change the expected time. */
const sizeTolerance = 0.02;

/**
 * Expects runs to take as long as earlier ones of the same profile, in proportion to what is under `effort:` in pipeline.yaml and to how slow
 * facts are: those of another profile work on other data, and say nothing about this one.
 */
export class ExpectedTimes {
  readonly #plan: Plan;
  readonly #records: Records;
  readonly #facts: Facts;
  #byStage: ReadonlyMap<string, readonly RunRecord[]> | null = null;
  readonly #predicted = new Map<string, RunRecord | null>();

  constructor(plan: Plan, records: Records, facts: Facts) {
    this.#plan = plan;
    this.#records = records;
    this.#facts = facts;
  }

  /**
   * @param parts what is known of the coming run's fingerprint; null if nothing is
   * @returns null without an earlier run that can be compared
   */
  find(instance: StageInstance, parts: KnownParts | null): ExpectedTime | null {
    const comparisons = this.#recordsOf(instance.stage)
      .flatMap((record) => this.#compare(record, instance, parts) ?? [])
      .sort(byCloseness);
    const own = comparisons.find(({ record }) => record.id === instance.id);
    const closest = own ?? comparisons[0];
    if (closest === undefined) return null;
    const { scaledBy } = closest;
    const alike = comparisons.filter((one) => bySettings(one, closest) === 0);
    const seconds = own?.seconds ?? alike.reduce((sum, one) => sum + one.seconds, 0) / alike.length;
    const from = own === undefined ? 'same-stage' : own.isSame ? 'own-run' : 'other-settings';
    return { seconds, from, ...(scaledBy.length === 0 ? {} : { scaledBy }) };
  }

  /** null if it is unknown how much longer or shorter the coming run takes. */
  #compare(record: RunRecord, instance: StageInstance, parts: KnownParts | null): Comparison | null {
    const { machineParams = [], effort = { keys: [], inputs: [] }, params } = instance;
    const then = record.parts;
    const ratios: [name: string, ratio: number | null][] = [];
    for (const key of effort.keys) ratios.push([key, ratioAt(params, then.params, key)]);
    for (const input of effort.inputs) ratios.push([input, this.#ratioOfSizes(instance, record, input)]);
    // Those of the machine: what the runner itself knows of a run says nothing about its speed.
    for (const name of Object.keys(this.#facts)) {
      ratios.push([name, this.#ratioOfFacts(name, parts?.facts[name], then.facts[name])]);
    }
    let seconds = durationOf(record);
    for (const [, ratio] of ratios) {
      if (ratio === null) return null;
      seconds *= ratio;
    }
    const allowed = [...machineParams, ...effort.keys.map((key) => key.split('.'))];
    const isSame =
      haveSameParams(params, then.params, allowed) &&
      (record.id !== instance.id || this.#haveSameSources(instance, record, parts?.inputs ?? []));
    const scaledBy = ratios.filter(([, ratio]) => ratio !== 1).map(([name]) => name);
    return { record, seconds, isSame, scaledBy };
  }

  #ratioOfFacts(name: string, now: string | undefined, then: string | undefined): number | null {
    if (now === undefined || now === then) return 1;
    const slowness = (value: string | undefined): number | null =>
      value === undefined ? null : (this.#facts[name]?.slowness?.(value) ?? null);
    const [slow, slowThen] = [slowness(now), slowness(then)];
    return slow === null || slowThen === null ? null : slow / slowThen;
  }

  /** 1 for what no stage makes: it is compared by its digest. */
  #ratioOfSizes(instance: StageInstance, record: RunRecord, input: string): number | null {
    const outputs = this.#predictInput(instance, input);
    if (outputs === null) return null;
    let [now, then] = [0, 0];
    for (const output of outputs) {
      now += output.sizeBytes;
      const digest = recordedDigest(record, input, output.path);
      const sizeThen = digest === output.digest ? output.sizeBytes : this.#sizeOf(output.path, digest);
      if (sizeThen === null) return null;
      then += sizeThen;
    }
    return Math.abs(now - then) <= sizeTolerance * then ? 1 : now / then;
  }

  /** The outputs that an input will consist of, as recorded; null if they have never been made with these settings. */
  #predictInput(instance: StageInstance, input: string): RecordedOutput[] | null {
    const { exact, within } = makersOf(this.#plan, instance, input);
    const outputs = (exact === null ? within : [exact]).map(({ id, output }) =>
      this.#predict(id)?.outputs.find(({ path }) => path === output),
    );
    return outputs.includes(undefined) ? null : outputs.filter((one) => one !== undefined);
  }

  /** The record of the latest run with an instance's settings, and with what such runs of those before it made. */
  #predict(id: string): RunRecord | null {
    const known = this.#predicted.get(id);
    if (known !== undefined) return known;
    const instance = instanceOf(this.#plan, id);
    const { params, machineParams = [], inputs, stage } = instance;
    const isAsNow = (one: RunRecord): boolean =>
      one.id === id &&
      haveSameParams(params, one.parts.params, machineParams) &&
      inputs.every(({ path }) =>
        this.#predictInput(instance, path)?.every(
          (output) => recordedDigest(one, path, output.path) === output.digest,
        ),
      );
    const record = this.#recordsOf(stage).find(isAsNow);
    this.#predicted.set(id, record ?? null);
    return record ?? null;
  }

  #sizeOf(path: string, digest: string | undefined): number | null {
    const outputs = [...this.#allRecords().values()].flat().flatMap((record) => record.outputs);
    return outputs.find((one) => one.path === path && one.digest === digest)?.sizeBytes ?? null;
  }

  /** Files that no stage makes: a model's settings, say. */
  #haveSameSources(instance: StageInstance, record: RunRecord, inputs: FingerprintParts['inputs']): boolean {
    return inputs.every(({ path, digest }) => {
      const then = recordedDigest(record, path, path);
      const isMade = this.#predictInput(instance, path)?.length !== 0;
      return isMade || then === undefined || digest === then;
    });
  }

  /** Of this profile, latest first. */
  #recordsOf(stage: string): readonly RunRecord[] {
    return this.#allRecords().get(stage) ?? [];
  }

  #allRecords(): ReadonlyMap<string, readonly RunRecord[]> {
    this.#byStage ??= collectRecords(this.#records, this.#plan.profile);
    return this.#byStage;
  }
}

function collectRecords(records: Records, profile: string): ReadonlyMap<string, readonly RunRecord[]> {
  const all = [...records.listLast(), ...records.listActions()]
    .filter((record) => record.profile === profile)
    .sort((a, b) => compareCodeUnits(b.startedAt, a.startedAt));
  const seen = new Set<string>();
  const byStage = new Map<string, RunRecord[]>();
  for (const record of all) {
    const key = `${record.id} ${record.fingerprint}`;
    if (seen.has(key)) continue;
    seen.add(key);
    byStage.set(record.stage, [...(byStage.get(record.stage) ?? []), record]);
  }
  return byStage;
}

/** As {@link bySettings}, then the latest first. */
function byCloseness(a: Comparison, b: Comparison): number {
  return bySettings(a, b) || compareCodeUnits(b.record.startedAt, a.record.startedAt);
}

/** With the same settings first, then with the least to allow for. */
function bySettings(a: Comparison, b: Comparison): number {
  return Number(b.isSame) - Number(a.isSame) || a.scaledBy.length - b.scaledBy.length;
}

function ratioAt(now: JsonObject, then: JsonObject, key: string): number | null {
  const [a, b] = [getAt(now, key.split('.')), getAt(then, key.split('.'))];
  if (a === b) return 1;
  return typeof a === 'number' && typeof b === 'number' && a > 0 && b > 0 ? a / b : null;
}

function haveSameParams(a: JsonObject, b: JsonObject, leftOut: readonly (readonly string[])[]): boolean {
  return isSameJson(leftOut.reduce(omitAt, a), leftOut.reduce(omitAt, b));
}

/** The digest that an output, or all of an input, had when a record was made. */
function recordedDigest({ parts }: RunRecord, input: string, output: string): string | undefined {
  const part = parts.inputs.find(({ path }) => path === input);
  return part?.of?.[output] ?? (input === output ? (part?.digest ?? undefined) : undefined);
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
