import { readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { canonicalJson, compareCodeUnits, isSha256 } from '../../files/canonical-json.ts';
import { getOwn } from '../../schema/json.ts';
import type { MetricValue } from '../../stage/define-stage.ts';
import { listSome } from '../../text.ts';
import { listMakers, makersOf } from '../plan/graph.ts';
import type { InputPath, Plan, StageInstance } from '../plan/plan.ts';
import { committedFolder, fileNameOf } from '../store/cache-folder.ts';
import {
  areFingerprintParts,
  type FingerprintParts,
  hashParts,
  type InputPart,
  withoutPlaces,
} from '../store/fingerprint-parts.ts';
import { areMetrics, areOutputs, type RecordedOutput, type RunRecord } from '../store/records.ts';
import { isText, mapOf, oneOf, shape } from '../store/shape.ts';
import { explainDifference, type StaleReason } from './differences.ts';
import type { Facts } from './fingerprint.ts';
import { openSession, type Session, saveDigests } from './session.ts';
import { factNamesOf } from './tool-versions.ts';

/** What an input inside another stage's output was part of. */
interface InputOrigin {
  readonly output: string;
  readonly digest: string;
}

/**
 * The committed record of an instance: from what its outputs were made, and their digests. It has no time, host or duration, so
 * that it changes only if what it describes does.
 */
export interface CommittedRecord {
  readonly version: 1;
  readonly id: string;
  readonly stage: string;
  readonly profile: string;
  readonly fingerprint: string;
  readonly outputs: readonly RecordedOutput[];
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** For inputs that are a part of an output: the input's path -> that output as it was. */
  readonly origins: Readonly<Record<string, InputOrigin>>;
  readonly parts: FingerprintParts;
}

/** Where an instance's record is: `repro.lock/<profile>/<stage>/<instance>.json`; relative to the project. */
export function committedPathOf(plan: Plan, { id, stage }: StageInstance): string {
  return path.posix.join(committedFolder, plan.profile, stage, `${fileNameOf(id)}.json`);
}

/** The committed record of an instance; null if there is none, or none that can be read. */
export function readCommittedRecord(plan: Plan, instance: StageInstance): CommittedRecord | null {
  const record = readCommittedRecordAt(path.join(plan.projectRoot, committedPathOf(plan, instance)));
  return record?.id === instance.id ? record : null;
}

/** The committed record in a file; null if there is none, or none that can be read. */
export function readCommittedRecordAt(file: string): CommittedRecord | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isCommittedRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** Why the committed record of an instance cannot be read (follows the name of its file). */
export function whyUnreadable(plan: Plan, instance: StageInstance): string {
  let text: string;
  try {
    text = readFileSync(path.join(plan.projectRoot, committedPathOf(plan, instance)), 'utf8');
  } catch (error) {
    return hasErrorCode(error, 'ENOENT', 'ENOTDIR') ? 'is missing' : 'cannot be read';
  }
  if (/^<{7} /m.test(text) && /^>{7} /m.test(text)) {
    return 'has conflicts of a merge: once the code is merged, `./repro run` or `./repro lock` writes it again';
  }
  return 'is damaged';
}

function toCommittedRecord(
  plan: Plan,
  record: RunRecord,
  origins: Readonly<Record<string, InputOrigin>>,
): CommittedRecord {
  return {
    version: 1,
    id: record.id,
    stage: record.stage,
    profile: plan.profile,
    fingerprint: record.fingerprint,
    outputs: record.outputs,
    metrics: record.metrics,
    origins,
    parts: withoutPlaces(record.parts),
  };
}

/** False for the result of a careless merge: half of one run, half of another. */
function isConsistent({ parts, fingerprint }: CommittedRecord): boolean {
  return hashParts(parts) === fingerprint;
}

/**
 * Whether two records say the same. Values that belong to a machine do not count, only their names: another one that computes the same
 * bytes leaves the record as it is. Metrics may contain durations, so they do not count either.
 */
export function saysTheSame(a: CommittedRecord, b: CommittedRecord): boolean {
  const compared = ({ outputs, origins, parts }: CommittedRecord): string => {
    const { facts, runtime: _, variables, ...rest } = parts;
    const names = [facts, variables].map((values) => Object.keys(values).sort());
    return canonicalJson({ outputs, origins, parts: rest, names });
  };
  return compared(a) === compared(b);
}

export function listCommittedRecords(plan: Plan): string[] {
  const folder = path.join(plan.projectRoot, committedFolder, plan.profile);
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'))
      .map((name) => path.posix.join(committedFolder, plan.profile, name))
      .sort(compareCodeUnits);
  } catch {
    return [];
  }
}

/** One value a line and sorted keys below the first level, so that git merges what does not overlap. */
function formatCommittedRecord(content: CommittedRecord): string {
  const sorted = Object.fromEntries(
    Object.entries(content).map(([key, value]) => [key, JSON.parse(canonicalJson(value)) as unknown]),
  );
  return `${JSON.stringify(sorted, null, 2)}\n`;
}

const isCommittedRecord = shape<CommittedRecord>({
  version: oneOf(1),
  id: isText,
  stage: isText,
  profile: isText,
  fingerprint: isSha256,
  outputs: areOutputs,
  metrics: areMetrics,
  origins: mapOf(shape<InputOrigin>({ output: isText, digest: isSha256 })),
  parts: areFingerprintParts,
});

type RecordOf = (id: string) => RunRecord | null;

/** Writes the committed records of instances that differ from their runs. @returns the records written, relative to the project */
export async function writeCommittedRecords(
  plan: Plan,
  instances: Iterable<StageInstance>,
  recordOf: RecordOf,
): Promise<string[]> {
  const written: string[] = [];
  for (const instance of instances) {
    const record = recordOf(instance.id);
    if (record === null) continue;
    const content = toCommittedRecord(plan, record, originsOf(plan, instance, recordOf));
    const present = readCommittedRecord(plan, instance);
    if (present !== null && isConsistent(present) && saysTheSame(present, content)) continue;
    const file = committedPathOf(plan, instance);
    await writeFileAtomic(path.join(plan.projectRoot, file), formatCommittedRecord(content));
    written.push(file);
  }
  return written;
}

/** Removes the records of instances that the plan does not have. @returns them, relative to the project */
export async function pruneCommittedRecords(plan: Plan): Promise<string[]> {
  const wanted = new Set([...plan.instances.values()].map((one) => committedPathOf(plan, one)));
  const orphans = listCommittedRecords(plan).filter((file) => !wanted.has(file));
  for (const file of orphans) await fs.rm(path.join(plan.projectRoot, file), { force: true });
  return orphans;
}

function originsOf(plan: Plan, instance: StageInstance, recordOf: RecordOf): Record<string, InputOrigin> {
  const origins: Record<string, InputOrigin> = {};
  for (const input of instance.inputs) {
    const { part: maker } = makersOf(plan, instance, input.path);
    if (maker === null) continue;
    const output = recordOf(maker.id)?.outputs.find((one) => one.path === maker.output);
    if (output !== undefined) origins[input.path] = { output: output.path, digest: output.digest };
  }
  return origins;
}

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
