import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { hasErrorCode, ReproError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import type { Compat } from '../training/compat.ts';
import { formatJson } from '../training/run-files.ts';
import type { OriginalArguments } from './arguments.ts';
import type { Preparation } from './preparation.ts';

/** Which recordings, and how they were made or cut, as far as it can change a number: not where they lie. */
export interface DataSettings {
  readonly dataset: { readonly name: string; readonly simulated: boolean };
  readonly simulate?: unknown;
  readonly frames: unknown;
}

/** `arguments.json`: what a checkpoint folder was made with. A training that differs in any of it is another training. */
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

export const recordFile = 'arguments.json';

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

/** The record of a checkpoint folder; undefined if it has none. */
export async function readRecord(folder: string): Promise<RunRecord | undefined> {
  const file = path.join(folder, recordFile);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    // Written whole by this program; a version is all that can be wrong with it.
    const record: RunRecord = JSON.parse(text);
    if (record.version === 1) return record;
  } catch {
    // Told below.
  }
  throw new ReproError('run-folder-foreign', 'This file is not what this program wrote.', {
    where: file,
    fix: startElsewhere,
  });
}

export function writeRecord(folder: string, record: RunRecord): Promise<void> {
  return writeFileAtomic(path.join(folder, recordFile), formatJson(record), { soleWriter: true });
}

const startElsewhere =
  'Give another -log_dir_prefix; or, if what is there is not needed, remove its folders.';

/** Where a training runs and writes changes nothing; and it may go on for longer. */
const freeArguments: readonly string[] = ['device', 'log_dir_prefix', 'max_epoch'];

/**
 * Says no to a training that would go on with what another one left: the folders' names hold neither seed nor batch size.
 *
 * @param known whatever is known of the new training so far
 * @throws {ReproError} `run-folder-taken`, naming all that differs
 */
export function refuseOther(folder: string, earlier: RunRecord, known: Partial<RunRecord>): void {
  const differences = listDifferences(earlier, known);
  if (differences.length === 0) return;
  throw new ReproError(
    'run-folder-taken',
    `This folder is that of another training, whose name is the same:\n${differences.map((one) => `  ${one}`).join('\n')}`,
    { where: folder, fix: startElsewhere },
  );
}

function listDifferences(earlier: RunRecord, known: Partial<RunRecord>): string[] {
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
      if (section === 'frames') return ['the frames: made of other recordings, or in another way'];
      const name = section === 'arguments' ? `-${key}` : section === 'data' ? key : one;
      return [`${name}: ${before.get(one) ?? 'nothing'} there, ${now.get(one) ?? 'nothing'} now`];
    });
}

/** Names a training by all that it is recorded to be made of, but for how long it goes on. */
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
 * Says no to folders that hold what this program has no record of, such as the original's own checkpoints.
 *
 * @param ours names in the checkpoint folder that do not count
 * @throws {ReproError} `run-folder-foreign`
 */
export async function refuseForeign(
  { logFolder, checkpointFolder }: Preparation,
  ours: readonly string[],
): Promise<void> {
  const checkpoints = (await listNames(checkpointFolder)).filter((name) => !ours.includes(name));
  const curves = (await listNames(logFolder)).filter((name) => name.includes('tfevents'));
  for (const [folder, [name]] of [
    [checkpointFolder, checkpoints],
    [logFolder, curves],
  ] as const) {
    if (name === undefined) continue;
    throw new ReproError(
      'run-folder-foreign',
      `This folder holds "${name}", of a training that this program knows nothing of.`,
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
