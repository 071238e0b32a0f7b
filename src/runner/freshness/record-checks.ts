import { ReproError } from '../../errors.ts';
import { getOwn } from '../../schema/json.ts';
import { listSome } from '../../text.ts';
import { listMakers, makersOf } from '../plan/graph.ts';
import type { InputPath, Plan, StageInstance } from '../plan/plan.ts';
import type { FingerprintParts, InputPart } from '../store/fingerprint-parts.ts';
import type { RecordedOutput } from '../store/records.ts';
import {
  type CommittedRecord,
  committedPathOf,
  isConsistent,
  listCommittedRecords,
  readCommittedRecord,
  whyUnreadable,
} from './committed-records.ts';
import type { Facts } from './fingerprint.ts';
import { explainDifference } from './reasons.ts';
import { openSession, type Session, saveDigests } from './session.ts';
import type { StaleReason } from './stale-reason.ts';
import { factNamesOf } from './tool-versions.ts';

interface RecordCheck {
  readonly id: string;
  readonly file: string;
  /** `unconfirmed`: the record itself belongs, but not that of something it depends on. */
  readonly state: 'ok' | 'differs' | 'unconfirmed' | 'missing';
  readonly reasons: readonly StaleReason[];
}

export interface RecordChecks {
  readonly checks: readonly RecordCheck[];
  /** Records of instances that the plan does not have, relative to the project. */
  readonly orphans: readonly string[];
}

/**
 * Compares the committed records with the plan. What is particular to a machine (facts, environment variables, Node, platform)
 * is not compared, and inputs that stages make are taken from the records of those stages.
 *
 * @param withData whether external data are read; otherwise their digests are taken from the records
 */
export async function checkRecords(
  plan: Plan,
  options: { readonly withData: boolean; readonly facts: Facts },
): Promise<RecordChecks> {
  const session = openSession(plan, options);
  const records = new Map<string, CommittedRecord>();
  const checks: RecordCheck[] = [];
  const good = new Set<string>();
  for (const instance of plan.instances.values()) {
    const record = readCommittedRecord(plan, instance);
    const base = { id: instance.id, file: committedPathOf(plan, instance) };
    if (record === null) {
      const reasons: StaleReason[] = [
        { cue: 'no-record', text: `${base.file} ${whyUnreadable(plan, instance)}` },
      ];
      checks.push({ ...base, state: 'missing', reasons });
      continue;
    }
    records.set(instance.id, record);
    const reasons = await findReasons(session, instance, {
      record,
      records,
      withData: options.withData,
    }).catch(explainFailure);
    const unconfirmed = (plan.dependencies.get(instance.id) ?? []).filter((id) => !good.has(id));
    if (reasons.length > 0) checks.push({ ...base, state: 'differs', reasons });
    else if (unconfirmed.length > 0) {
      const text = `depends on ${listSome(unconfirmed)}`;
      checks.push({ ...base, state: 'unconfirmed', reasons: [{ cue: 'input', text }] });
    } else {
      good.add(instance.id);
      checks.push({ ...base, state: 'ok', reasons: [] });
    }
  }
  await saveDigests(session);
  const wanted = new Set(checks.map(({ file }) => file));
  return { checks, orphans: listCommittedRecords(plan).filter((file) => !wanted.has(file)) };
}

interface Committed {
  readonly record: CommittedRecord;
  /** Of the instances before it in the plan. */
  readonly records: ReadonlyMap<string, CommittedRecord>;
  readonly withData: boolean;
}

async function findReasons(
  session: Session,
  instance: StageInstance,
  committed: Committed,
): Promise<StaleReason[]> {
  const { record } = committed;
  if (!isConsistent(record)) {
    return [
      { cue: 'record', text: 'the record contradicts itself: its fingerprint is not that of its parts' },
    ];
  }
  const inputs: InputPart[] = [];
  for (const input of instance.inputs) inputs.push(await digestInput(session, instance, input, committed));
  const shared = await session.fingerprints.findCode(instance);
  const parts: FingerprintParts = {
    ...shared,
    inputs,
    facts: Object.fromEntries(
      factNamesOf(instance).map((name) => [name, getOwn(record.parts.facts, name) ?? 'not recorded']),
    ),
    variables: Object.fromEntries(
      instance.variables.map((name) => [name, getOwn(record.parts.variables, name) ?? null]),
    ),
    runtime: record.parts.runtime,
  };
  return explainDifference(record.parts, parts, {
    before: (digest) => session.store.findTree(digest),
    now: (part) => session.freshness.readInput(instance, part),
  });
}

/** Code that does not compile, for example, cannot be what the record was made with. */
function explainFailure(error: unknown): StaleReason[] {
  if (!(error instanceof ReproError)) throw error;
  return [{ cue: 'code', text: `${error.where === undefined ? '' : `${error.where}  `}${error.message}` }];
}

/** The digest of an input as far as it can be known without running anything. */
async function digestInput(
  session: Session,
  instance: StageInstance,
  input: InputPath,
  { record, records, withData }: Committed,
): Promise<InputPart> {
  const makers = makersOf(session.plan, instance, input.path);
  const ids = listMakers(makers);
  const at = instance.inputs.indexOf(input);
  const recorded = record.parts.inputs.find((one) => one.path === input.path) ?? record.parts.inputs[at];
  const bare = { path: input.path, external: input.external };
  const unknown = ids.filter((id) => !records.has(id));
  if (unknown.length > 0) return { ...bare, digest: null, waitsFor: unknown };
  if (makers.part !== null) {
    const { id, output: path } = makers.part;
    const origin = getOwn(record.origins, input.path);
    const output = outputsOf(records, id).find((one) => one.path === path);
    const isSame = origin !== undefined && output?.digest === origin.digest && recorded !== undefined;
    const digest = isSame ? recorded.digest : `of ${output?.digest ?? 'nothing'}`;
    return { ...bare, digest };
  }
  if (input.external && ids.length === 0 && !withData && recorded?.external === true) {
    return { ...recorded, path: input.path };
  }
  const produced = (id: string) => outputsOf(records, id);
  const [part] = await session.inputs.digest({ ...instance, inputs: [input] }, produced);
  if (part === undefined) throw new Error('one input has one digest');
  return part;
}

function outputsOf(records: ReadonlyMap<string, CommittedRecord>, id: string): readonly RecordedOutput[] {
  return records.get(id)?.outputs ?? [];
}
