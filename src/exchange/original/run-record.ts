import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { readJson } from '../../base/files/shape.ts';
import type { EngineDescription } from '../../network/engines/engine.ts';
import { formatJson } from '../../results/result-file.ts';
import type { Compat } from '../../results/thesis/compat.ts';
import type { OriginalArguments } from './arguments.ts';
import type { Preparation } from './preparation.ts';

/** Which recordings, and how they were simulated or cut: whatever can change a number, so not where they are stored. */
export interface DataSettings {
  readonly dataset: { readonly name: string; readonly simulated: boolean };
  readonly simulate?: unknown;
  readonly frames: unknown;
}

/** `arguments.json`: what a checkpoint folder was made with. A training that differs in any of this is a different training. */
export interface OriginalRecord {
  readonly version: 1;
  readonly commandLine: readonly string[];
  readonly arguments: OriginalArguments;
  readonly compat: Compat;
  readonly data: DataSettings;
  /** Digest of the frames. */
  readonly frames: string;
  readonly engine: { readonly name: string; readonly backend: string; readonly version: string };
}

/** The sections in which two trainings are compared. */
const sections = ['version', 'arguments', 'compat', 'data', 'frames', 'engine'] as const;
type Compared = { readonly [Section in (typeof sections)[number]]?: unknown };

const recordFile = 'arguments.json';

const startElsewhere =
  'Choose another -log_dir_prefix, or remove the existing folders if they are no longer needed.';

/** Arguments that may change between calls: where a training runs and writes, and how long it goes on. */
const freeArguments: readonly string[] = ['device', 'log_dir_prefix', 'max_epoch'];

export function describeRecord(
  { words, values, model }: Pick<Preparation, 'words' | 'values' | 'model'>,
  data: DataSettings,
  framesDigest: string,
  { name, backend, version }: EngineDescription,
): OriginalRecord {
  return {
    version: 1,
    commandLine: words,
    arguments: values,
    compat: model.compat,
    data,
    frames: framesDigest,
    engine: { name, backend, version },
  };
}

export async function writeRecord(folder: string, record: OriginalRecord): Promise<void> {
  await writeFileAtomic(path.join(folder, recordFile), formatJson(record), { soleWriter: true });
}

/**
 * Rejects a training that would continue from another one's checkpoints: the folders' names include neither seed nor batch size.
 *
 * @param known what is known about the new training so far
 * @returns whether the folder holds a training
 * @throws {ReproError} `run-folder-taken`, naming everything that differs; `run-folder-foreign` if the record is damaged
 */
export async function refuseOther(folder: string, known: Compared): Promise<boolean> {
  const file = path.join(folder, recordFile);
  let text: string;
  try {
    text = (await readRegular(file)).toString();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
  const from = { file, code: 'run-folder-foreign', fix: startElsewhere };
  const recorded = readJson(v.looseObject({}), text, from);
  const compared = sections.filter((name) => known[name] !== undefined);
  const before = new Map(leavesOf(Object.fromEntries(compared.map((name) => [name, recorded[name]]))));
  const now = new Map(leavesOf(Object.fromEntries(compared.map((name) => [name, known[name]]))));
  const differences = [...new Set([...before.keys(), ...now.keys()])]
    .filter(
      (at) => before.get(at) !== now.get(at) && !freeArguments.some((name) => at === `arguments.${name}`),
    )
    .map((at) =>
      at === 'frames'
        ? 'the frames: made from other recordings, or with other settings'
        : `${at.replace(/^arguments\./, '-').replace(/^data\./, '')}: ${before.get(at) ?? 'nothing'} there, ${now.get(at) ?? 'nothing'} now`,
    );
  if (differences.length === 0) return true;
  throw new ReproError(
    'run-folder-taken',
    `This folder already belongs to a different training run with the same name:\n${differences.map((one) => `  ${one}`).join('\n')}`,
    { where: folder, fix: startElsewhere },
  );
}

function leavesOf(value: unknown, at = ''): [string, string | undefined][] {
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
  { logFolder, checkpointFolder }: Pick<Preparation, 'logFolder' | 'checkpointFolder'>,
  ours: string,
): Promise<void> {
  // The record is the first file to be written: a process killed during that leaves a part of it, which the next one overwrites.
  const isForeign = (name: string): boolean => name !== ours && !name.startsWith(recordFile);
  for (const [folder, name] of [
    [checkpointFolder, (await listNames(checkpointFolder)).find(isForeign)],
    [logFolder, (await listNames(logFolder)).find((one) => one.includes('tfevents'))],
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
