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
import type { StaleReason } from './differences.ts';
import { explainDifference } from './differences.ts';
import type { Facts } from './fingerprint.ts';
import { openSession, type Session, saveDigests } from './session.ts';
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
    const { id } = instance;
    const file = committedPathOf(plan, instance);
    const add = (state: RecordCheck['state'], reasons: readonly StaleReason[] = []): void => {
      checks.push({ id, file, state, reasons });
      if (state === 'ok') good.add(id);
    };
    const record = readCommittedRecord(plan, instance);
    if (record === null) {
      add('missing', [{ cue: 'no-record', text: `${file} ${whyUnreadable(plan, instance)}` }]);
      continue;
    }
    records.set(id, record);
    const committed = { record, records, withData: options.withData };
    const reasons = await findReasons(session, instance, committed).catch(explainFailure);
    const unconfirmed = (plan.dependencies.get(id) ?? []).filter((one) => !good.has(one));
    if (reasons.length > 0) add('differs', reasons);
    else if (unconfirmed.length === 0) add('ok');
    else add('unconfirmed', [{ cue: 'input', text: `depends on ${listSome(unconfirmed)}` }]);
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
    facts: recordedValues(factNamesOf(instance), record.parts.facts, 'not recorded'),
    variables: recordedValues(instance.variables, record.parts.variables, null),
    runtime: record.parts.runtime,
  };
  return explainDifference(record.parts, parts, session.freshness.treesOf(instance));
}

/** What belongs to the machine is not compared: only the names count. */
function recordedValues<Value>(
  names: readonly string[],
  values: Readonly<Record<string, Value>>,
  absent: Value,
): Record<string, Value> {
  return Object.fromEntries(names.map((name) => [name, getOwn(values, name) ?? absent]));
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
