import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { findAmong } from '../../runner/freshness/recorded-runs.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { openRecords, type Records, type RunRecord } from '../../runner/store/records.ts';
import { stageNames } from '../project/stages.ts';

/** What a network was evaluated on, by digests; null where it is not known. */
interface DataIdentity {
  /** Of the frames that the evaluation read. */
  readonly frames: string | null;
  /** Of the recordings that the frames were made from, whatever the settings. */
  readonly recordings: string | null;
}

/** An evaluation on record, with the run of every stage that it was made from, by stage. */
export interface RecordedNetwork {
  readonly evaluation: RunRecord;
  readonly lineage: ReadonlyMap<string, RunRecord>;
  readonly data: DataIdentity;
}

/** Finds networks that were trained and evaluated here, by the words that name a run. */
export class RecordedNetworks {
  readonly #plan: Plan;
  readonly #records: Records;
  readonly #present: ReadonlyMap<string, RunRecord>;
  /** The latest first. */
  readonly #runs: readonly RunRecord[];
  /** Those of them that are evaluations. */
  readonly #evaluations: readonly RunRecord[];
  /** The instances that these are of, those of the plan first. */
  readonly #ids: readonly string[];
  readonly #byOutput: ReadonlyMap<string, RunRecord>;

  /** @param present the records of the present settings, code and data, by instance */
  constructor(plan: Plan, present: ReadonlyMap<string, RunRecord>) {
    const records = openRecords(plan);
    this.#present = present;
    this.#plan = plan;
    this.#records = records;
    const all = new Map(records.listActions().map((record) => [record.fingerprint, record]));
    for (const last of records.listLast()) all.set(last.fingerprint, last);
    this.#runs = [...all.values()].sort((a, b) => compareCodeUnits(b.startedAt, a.startedAt));
    this.#evaluations = this.#runs.filter(({ stage }) => stage === stageNames.evaluate);
    const ids = new Set(this.#evaluations.map(({ id }) => id));
    this.#ids = [...new Set([...plan.instances.keys(), ...ids])].filter((id) => ids.has(id));
    // Of runs with the same result the earliest is kept: the map takes the last that it is given.
    this.#byOutput = new Map(
      this.#runs.flatMap((run) => run.outputs.map((output) => [keyOf(output), run] as const)),
    );
  }

  /**
   * The networks that a run names: `last` (of the present plan), a model, `model,seed` or an instance (the seeds of the
   * profile with its settings; the last run where there is none), a profile, the beginning of a fingerprint or a commit, or a time (of each network the latest run up to then).
   *
   * @param only model, or model and seed: the others are left out
   * @throws {ReproError} `no-record`, with what there is
   */
  find(wanted: string, only: string | undefined): RecordedNetwork[] {
    const isMeant = ({ parts }: RunRecord) => only === undefined || hasMatrix(parts.matrix, only);
    const found = this.#findEvaluations(wanted).filter(isMeant);
    if (found.length > 0) return found.map((evaluation) => this.#withLineage(evaluation));
    const ids = this.#ids.toSorted(compareCodeUnits);
    throw new ReproError('no-record', `no network that was evaluated here matches "${wanted}"`, {
      where: only === undefined ? `run ${wanted}` : `run ${wanted}, --only ${only}`,
      fix:
        ids.length === 0
          ? 'None is on record. Make some: ./repro run evaluate'
          : `There are runs of ${ids.join(', ')}; list those of one: ./repro explain ${ids[0]} --list`,
    });
  }

  /** Whether it is what the present settings, code and data give. */
  isPresent({ id, fingerprint }: RunRecord): boolean {
    return this.#present.get(id)?.fingerprint === fingerprint;
  }

  #findEvaluations(wanted: string): RunRecord[] {
    const planned = [...this.#plan.instances.values()].filter(({ stage }) => stage === stageNames.evaluate);
    if (wanted === 'last') return planned.flatMap(({ id }) => this.#records.findLast(id) ?? []);
    const words = wanted.replace(/^(evaluate|train)@/, '');
    const meant = planned.filter(({ matrix }) => hasMatrix(matrix, words));
    const known = meant.flatMap(({ id }) => this.#present.get(id) ?? this.#records.findLast(id) ?? []);
    if (known.length > 0) return known;
    const last = this.#ids.flatMap((id) => this.#records.findLast(id) ?? []);
    const named = last.filter(({ parts }) => hasMatrix(parts.matrix, words));
    if (named.length > 0) return named;
    const found = this.#ids.flatMap((id) => {
      const runs = this.#evaluations.filter((run) => run.id === id);
      return findAmong(runs, wanted, `run ${wanted}`) ?? [];
    });
    return found.length > 0 ? found : this.#evaluationsOf(wanted);
  }

  /** Evaluations of the training whose fingerprint begins so. */
  #evaluationsOf(wanted: string): RunRecord[] {
    if (!/^[0-9a-f]{4,64}$/.test(wanted)) return [];
    const trainings = this.#runs.filter(
      ({ stage, fingerprint }) => stage === stageNames.train && fingerprint.startsWith(wanted),
    );
    const outputs = new Set(trainings.flatMap((run) => run.outputs.map(keyOf)));
    const made = this.#evaluations.find(({ parts }) =>
      parts.inputs.some((input) => outputs.has(keyOf(input))),
    );
    return made === undefined ? [] : [made];
  }

  #withLineage(evaluation: RunRecord): RecordedNetwork {
    const lineage = new Map<string, RunRecord>([[evaluation.stage, evaluation]]);
    const waiting = [evaluation];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const input of next.parts.inputs) {
        const made = this.#byOutput.get(keyOf(input));
        if (made === undefined || lineage.has(made.stage)) continue;
        lineage.set(made.stage, made);
        waiting.push(made);
      }
    }
    return { evaluation, lineage, data: identifyData(evaluation, lineage) };
  }
}

/**
 * Identifies the frames of an evaluation (its inputs without the trained network) and the recordings behind them (the inputs of `frames`
 * without the manifest, which may change when the recordings do not).
 */
function identifyData(evaluation: RunRecord, lineage: RecordedNetwork['lineage']): DataIdentity {
  const made = (stage: string) => lineage.get(stage)?.outputs ?? [];
  const frames = lineage.get(stageNames.frames);
  return {
    frames: digestInputs(evaluation, made(stageNames.train)),
    recordings: frames === undefined ? null : digestInputs(frames, made(stageNames.verify)),
  };
}

/** The digests of a run's inputs but for some, as one text; null if there are none, or one is not known. */
function digestInputs({ parts }: RunRecord, but: readonly { readonly path: string }[]): string | null {
  const left = parts.inputs.filter(({ path }) => but.every((one) => one.path !== path));
  const digests = left.flatMap(({ digest }) => digest ?? []);
  return digests.length === 0 || digests.length < left.length
    ? null
    : digests.sort(compareCodeUnits).join(' ');
}

/** Of an output, and of the input that reads it: another instance may have made the same, elsewhere. */
function keyOf({ path, digest }: { readonly path: string; readonly digest: string | null }): string {
  return JSON.stringify([path, digest]);
}

/** Whether `baseline,2020` or a part of it names these values. */
function hasMatrix(matrix: RunRecord['parts']['matrix'], words: string): boolean {
  const values = Object.values(matrix).map(String);
  return words.split(',').every((word) => values.includes(word));
}
