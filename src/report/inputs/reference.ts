import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { decodeEventFile } from '../../formats/tfevents.ts';
import { placeOnEpochs } from '../reference-epochs.ts';
import type { Reference, ReferenceCurves } from '../results.ts';
import { collectReferenceEvents, parseReferenceCsv } from './reference-points.ts';

/** The log of one model: a CSV file or event files. Paths are relative to the folder, with `/`. */
type Log = { readonly csv: string } | { readonly events: readonly string[] };

/**
 * Reads the authors' logs for some models from a folder: for each model `<id>.csv`, or event files in `<id>/` or its subfolders, or
 * event files whose names begin with the id.
 *
 * @returns the logs of those models that have one
 * @throws {ReproError} `report-input` if the folder does not exist, or a file in it is invalid
 */
export async function readReference(folder: string, models: readonly string[]): Promise<Reference> {
  const files = await listFiles(folder);
  const found: [string, ReferenceCurves][] = [];
  for (const model of models) {
    const log = findLog(files, model, models, folder);
    if (log === null) continue;
    const curves = 'csv' in log ? await readCsv(folder, log.csv) : await readEvents(folder, log.events);
    found.push([model, curves]);
  }
  return new Map(found);
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  } catch (cause) {
    // These two codes are explained in words; the cause would only repeat that in the log.
    const known = hasErrorCode(cause, 'ENOENT')
      ? 'does not exist'
      : hasErrorCode(cause, 'ENOTDIR')
        ? 'is not a folder'
        : undefined;
    const problem = known ?? `cannot be read: ${String(cause)}`;
    throw new ReproError('report-input', `The folder of the authors’ logs ${problem}.`, {
      where: folder,
      fix: 'Correct `reference.logs` in the profile, or remove it: the logs are optional.',
      ...(known === undefined ? { cause } : {}),
    });
  }
}

function findLog(
  files: readonly string[],
  model: string,
  models: readonly string[],
  folder: string,
): Log | null {
  const csv = files.find((file) => file === `${model}.csv`);
  const inFolder = files.filter((file) => file.startsWith(`${model}/`));
  const events = files.filter(
    (file) => isEventFile(file) && (file.startsWith(`${model}/`) || ownerOf(file, models) === model),
  );
  if (csv === undefined && inFolder.length > 0 && events.length === 0) {
    throw new ReproError('report-input', 'This folder contains no event file of TensorBoard.', {
      where: join(folder, model),
      fix: 'Event files have "tfevents" in their names: docs/tensorboard.md.',
    });
  }
  if (csv !== undefined && events.length > 0) {
    throw new ReproError('report-input', `There are two logs for "${model}": ${csv} and ${events[0]}.`, {
      where: folder,
      fix: 'Remove one of them.',
    });
  }
  if (csv !== undefined) return { csv };
  return events.length === 0 ? null : { events };
}

function isEventFile(file: string): boolean {
  return /tfevents[^/]*$/.test(file) && !file.endsWith('.partial');
}

/** The model whose id a file name begins with; `lambda-0.15.events…` matches neither `lambda-0.1` nor `lambda-0`. The longest id wins. */
function ownerOf(file: string, models: readonly string[]): string | undefined {
  if (file.includes('/')) return undefined;
  return models
    .filter((model) => file.startsWith(model) && !/^(?:[A-Za-z0-9]|\.\d)/.test(file.slice(model.length)))
    .sort((a, b) => b.length - a.length)[0];
}

async function readCsv(folder: string, name: string): Promise<ReferenceCurves> {
  const file = join(folder, name);
  return place(parseReferenceCsv(await readFile(file, 'utf8'), file), file, []);
}

async function readEvents(folder: string, names: readonly string[]): Promise<ReferenceCurves> {
  const files: { file: string; scalars: ReturnType<typeof decodeEventFile>['scalars'] }[] = [];
  const truncated: string[] = [];
  for (const name of names) {
    const file = join(folder, name);
    const { scalars, truncatedAt } = decodeEventFile(await readFile(file), file);
    if (truncatedAt !== null) truncated.push(name);
    files.push({ file, scalars });
  }
  return place(collectReferenceEvents(files), join(folder, names[0] ?? ''), truncated);
}

function place(
  curves: Parameters<typeof placeOnEpochs>[0],
  file: string,
  truncated: readonly string[],
): ReferenceCurves {
  const placed = placeOnEpochs(curves, truncated);
  if (placed !== null) return placed;
  const empty = ['test_accuracy', 'val_accuracy'].filter((tag) => curves.has(tag));
  const problem =
    empty.length === 0
      ? 'This log contains neither test_accuracy nor val_accuracy.'
      : `This log contains ${empty.join(' and ')}, but only values that are NaN or infinite.`;
  throw new ReproError('report-input', problem, {
    where: file,
    fix: 'The epochs come from these tags: docs/tensorboard.md lists all tags.',
  });
}
