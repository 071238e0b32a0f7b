import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { hasErrorCode, ReproError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { readRegular } from '../files/regular-file.ts';
import { type JsonObject, parseFields } from '../formats/fields.ts';
import { formatJson } from '../results/result-file.ts';
import type { Compat } from '../thesis/compat.ts';
import type { OriginalArguments } from './arguments.ts';
import type { Preparation } from './preparation.ts';

/** Which recordings, and how they were simulated or cut: whatever can change a number, so not where they are stored. */
export interface DataSettings {
  readonly dataset: { readonly name: string; readonly simulated: boolean };
  readonly simulate?: unknown;
  readonly frames: unknown;
}

/** `arguments.json`: what a checkpoint folder was made with. A training that differs in any of this is a different training. */
export interface RunRecord {
  readonly version: 1;
  readonly commandLine: readonly string[];
  readonly arguments: OriginalArguments;
  readonly compat: Compat;
  readonly data: DataSettings;
  /** Digest of the frames. */
  readonly frames: string;
  readonly engine: { readonly name: string; readonly backend: string; readonly version: string };
}

const recordFile = 'arguments.json';

export function describeRecord(
  { words, parsed, model }: Preparation,
  data: DataSettings,
  framesDigest: string,
  { name, backend, version }: EngineDescription,
): RunRecord {
  return {
    version: 1,
    commandLine: words,
    arguments: parsed.values,
    compat: model.compat,
    data,
    frames: framesDigest,
    engine: { name, backend, version },
  };
}

/** A record as it was read back: checked as far as it is compared with a new training. */
export type StoredRecord = Pick<RunRecord, 'frames'> & {
  readonly [Section in 'arguments' | 'compat' | 'data' | 'engine']: JsonObject;
};

/**
 * The record of a checkpoint folder; undefined if it has none.
 *
 * @throws {ReproError} `run-folder-foreign` if this program did not write the file, or if it is damaged
 */
export async function readRecord(folder: string): Promise<StoredRecord | undefined> {
  const file = path.join(folder, recordFile);
  let text: string;
  try {
    text = (await readRegular(file)).toString();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const record = parseFields(text, { file, code: 'run-folder-foreign', fix: startElsewhere });
  const version = record.count('version');
  if (version !== 1) record.fail('version', `is ${version}: this program reads version 1 only`);
  return {
    arguments: record.raw('arguments'),
    compat: record.raw('compat'),
    data: record.raw('data'),
    frames: record.text('frames'),
    engine: record.raw('engine'),
  };
}

export function writeRecord(folder: string, record: RunRecord): Promise<void> {
  return writeFileAtomic(path.join(folder, recordFile), formatJson(record), { soleWriter: true });
}

const startElsewhere =
  'Choose another -log_dir_prefix, or remove the existing folders if they are no longer needed.';

/** Arguments that may change between calls: where a training runs and writes, and how long it goes on. */
const freeArguments: readonly string[] = ['device', 'log_dir_prefix', 'max_epoch'];

/**
 * Rejects a training that would continue from another one's checkpoints: the folders' names include neither seed nor batch size.
 *
 * @param known what is known about the new training so far
 * @throws {ReproError} `run-folder-taken`, naming everything that differs
 */
export function refuseOther(folder: string, earlier: StoredRecord, known: Partial<RunRecord>): void {
  const differences = listDifferences(earlier, known);
  if (differences.length === 0) return;
  throw new ReproError(
    'run-folder-taken',
    `This folder already belongs to a different training run with the same name:\n${differences.map((one) => `  ${one}`).join('\n')}`,
    { where: folder, fix: startElsewhere },
  );
}

function listDifferences(earlier: StoredRecord, known: Partial<RunRecord>): string[] {
  const before = new Map(leavesOf(earlier));
  const now = new Map(leavesOf(known));
  const sections = Object.keys(known);
  const paths = [...new Set([...before.keys(), ...now.keys()])].filter((one) =>
    sections.includes(one.split('.', 1)[0] ?? one),
  );
  return paths
    .filter((one) => before.get(one) !== now.get(one))
    .flatMap((one) => {
      const [section, ...rest] = one.split('.');
      const key = rest.join('.');
      if (section === 'version' || section === 'commandLine') return [];
      if (section === 'arguments' && freeArguments.includes(key)) return [];
      if (section === 'frames') return ['the frames: made from other recordings, or with other settings'];
      const name = section === 'arguments' ? `-${key}` : section === 'data' ? key : one;
      return [`${name}: ${before.get(one) ?? 'nothing'} there, ${now.get(one) ?? 'nothing'} now`];
    });
}

/** A name for a training that depends on everything in its record except how long it goes on. */
export function nameTraining({ arguments: values, compat, frames, engine }: RunRecord): string {
  const parts = leavesOf({ arguments: values, compat, frames, engine })
    .filter(([at]) => !freeArguments.some((name) => at === `arguments.${name}`))
    .map((leaf) => leaf.join(' '))
    .sort();
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

function leavesOf(value: unknown, at = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[at, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, one]) => leavesOf(one, at === '' ? key : `${at}.${key}`));
}

/**
 * Rejects folders without a record that hold anything else, such as the original's own checkpoints.
 *
 * @param ours names in the checkpoint folder to ignore
 * @throws {ReproError} `run-folder-foreign`
 */
export async function refuseForeign(
  { logFolder, checkpointFolder }: Preparation,
  ours: readonly string[],
): Promise<void> {
  // The record is the first file to be written: a process killed during that leaves a part of it, which the next one overwrites.
  const ignored = [...ours, `${recordFile}.partial`];
  const checkpoints = (await listNames(checkpointFolder)).filter((name) => !ignored.includes(name));
  const curves = (await listNames(logFolder)).filter((name) => name.includes('tfevents'));
  for (const [folder, [name]] of [
    [checkpointFolder, checkpoints],
    [logFolder, curves],
  ] as const) {
    if (name === undefined) continue;
    throw new ReproError(
      'run-folder-foreign',
      `This folder holds "${name}", but no ${recordFile}: it comes from a training of another program.`,
      { where: folder, fix: startElsewhere },
    );
  }
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}
