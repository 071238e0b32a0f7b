import { ReproError } from '../../../errors.ts';
import { digestBelow, type Tree } from '../../store/digest.ts';
import type { InputPart } from '../../store/fingerprint-parts.ts';
import type { RunRecord } from '../../store/records.ts';

/** Everything that decides which records are kept. */
interface Candidates {
  readonly last: readonly RunRecord[];
  readonly actions: readonly RunRecord[];
  readonly rules: readonly KeepRule[];
  /** Fingerprints of what the profiles would restore. */
  readonly restorable: ReadonlySet<string>;
  /** Names of stages or instances whose last records are not kept for being the last. */
  readonly forgotten: readonly string[];
  readonly nowMs: number;
  /** The list of a folder's files; null if it is not stored. */
  readonly treeOf: (digest: string) => Promise<Tree | null>;
}

/**
 * The records to keep: those that the profiles would restore, or that a rule names; the last of each instance, and its
 * last under each profile that was not a trial; and those that made what a kept one read, without which it could not be found again.
 */
export async function findKept(candidates: Candidates): Promise<ReadonlySet<RunRecord>> {
  const { last, actions, restorable, forgotten } = candidates;
  const all = [...last, ...actions];
  // The newest of each profile, too: code that was changed for a while, a trial or a damaged file must not cost weeks of training.
  const lastPrints = new Set([...last, ...newestOf(actions)].map(({ fingerprint }) => fingerprint));
  const isNeeded = (record: RunRecord): boolean =>
    !isNamed(record, forgotten) && (lastPrints.has(record.fingerprint) || restorable.has(record.fingerprint));
  const kept = new Set<RunRecord>();
  for (const record of all) {
    if (isNeeded(record) || candidates.rules.some((rule) => keeps(rule, record, candidates))) {
      kept.add(record);
    }
  }
  const makers = new Map<string, RunRecord[]>();
  for (const record of all) {
    for (const { path } of record.outputs) makers.set(path, [...(makers.get(path) ?? []), record]);
  }
  // A set is iterated in insertion order, including what is added on the way.
  for (const record of kept) {
    for (const input of record.parts.inputs) {
      for (const output of [...Object.keys(input.of ?? {}), ...pathsTo(input.path)]) {
        for (const maker of makers.get(output) ?? []) {
          if (await hasMade(maker, output, input, candidates.treeOf)) kept.add(maker);
        }
      }
    }
  }
  return kept;
}

/** `a/b/c` -> `a/b/c`, `a/b`, `a` */
function pathsTo(path: string): string[] {
  const names = path.split('/');
  return names.map((_, i) => names.slice(0, names.length - i).join('/'));
}

/** Whether an output of a record is, or has in it, what another one read. */
async function hasMade(
  { outputs }: RunRecord,
  output: string,
  input: InputPart,
  treeOf: Candidates['treeOf'],
): Promise<boolean> {
  const digest = outputs.find(({ path }) => path === output)?.digest ?? '';
  if (input.of?.[output] === digest) return true;
  if (input.external || input.digest === null) return false;
  if (input.path === output) return input.digest === digest;
  const tree = await treeOf(digest);
  const part = tree === null ? null : digestBelow(tree, input.path.slice(output.length + 1));
  return part !== null && 'digest' in part && part.digest === input.digest;
}

function newestOf(records: readonly RunRecord[]): Iterable<RunRecord> {
  const newest = new Map<string, RunRecord>();
  for (const record of records) {
    if (record.overrides !== undefined) continue;
    const key = JSON.stringify([record.id, record.profile]);
    const known = newest.get(key);
    if (known === undefined || endOf(record) > endOf(known)) newest.set(key, record);
  }
  return newest.values();
}

export function isNamed({ id, stage }: RunRecord, names: readonly string[]): boolean {
  return names.some((name) => name === id || name === stage);
}

function keeps(rule: KeepRule, record: RunRecord, { actions, nowMs }: Candidates): boolean {
  switch (rule.kind) {
    case 'all':
      return true;
    case 'count': {
      const newer = actions.filter((one) => one.id === record.id && endOf(one) > endOf(record));
      return newer.length < rule.count;
    }
    case 'age':
      return endOf(record) >= nowMs - rule.seconds * 1000;
    case 'profile':
      return record.profile === rule.name;
    case 'stage':
      return isNamed(record, [rule.name]);
  }
}

/** When it ended; a time that cannot be read counts as now, so that nothing is lost. */
function endOf({ startedAt, seconds }: RunRecord): number {
  const startMs = Date.parse(startedAt);
  return Number.isNaN(startMs) ? Number.POSITIVE_INFINITY : startMs + seconds * 1000;
}

/** Which records to keep, besides the last of each instance. */
export type KeepRule =
  | { readonly kind: 'all' }
  /** The most recent records of each instance. */
  | { readonly kind: 'count'; readonly count: number }
  /** Records, logs and unfinished work younger than this. */
  | { readonly kind: 'age'; readonly seconds: number }
  | { readonly kind: 'profile'; readonly name: string }
  | { readonly kind: 'stage'; readonly name: string };

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, d: 86_400, w: 604_800 };

const forms = 'all, a number such as 5, an age such as 12h, 30d or 8w, profile=NAME, stage=NAME';

/** Reads a rule: `all`, `5`, `30d`, `profile=full`, `stage=train`. @throws {ReproError} `usage` */
export function parseKeepRule(text: string): KeepRule {
  if (text === 'all') return { kind: text };
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return { kind: 'count', count: Number(text) };
  const [, amount, unit] = /^(\d{1,6})([hdw])$/.exec(text) ?? [];
  if (amount !== undefined) return { kind: 'age', seconds: Number(amount) * (unitSeconds[unit ?? ''] ?? 0) };
  const [, key, name] = /^(profile|stage)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && (key === 'profile' || key === 'stage')) return { kind: key, name };
  throw new ReproError('usage', `--keep: "${text}" is not a rule`, { fix: `Expected: ${forms}.` });
}
