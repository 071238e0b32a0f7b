import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { withSlashes } from '../../files/path-below.ts';
import { readCurves } from '../../formats/logged-curves.ts';
import { decodeEventFile, type ScalarEvent } from '../../formats/tfevents.ts';
import { openTorchFile } from '../../formats/torch-pt.ts';
import type { Reference, ReferenceCurves } from '../data/results.ts';
import { placeOnEpochs } from './reference-epochs.ts';
import { collectReferenceEvents, parseLossCsv, parseReferenceCsv } from './reference-points.ts';

/** The log of one model. Paths are relative to the folder, with `/`. */
type Log =
  | { readonly csv: string }
  | { readonly checkpoint: string }
  /** `losses`: the training loss alone, of more epochs than the event files have. */
  | { readonly events: readonly string[]; readonly losses: readonly string[] };

/** A model whose log is looked for. */
export interface ReferenceModel {
  readonly id: string;
  /** Its name in the thesis; null if it is not one of the thesis' models. */
  readonly published: string | null;
}

/** How the folders in the thesis' repository begin after `pt_`, by the models' names in the paper. */
const AUTHORS_NAMES: ReadonlyMap<string, string> = new Map([
  ['Baseline', 'BASELINE'],
  ['No Reg.', 'NO_REG'],
  ['λ = .01', 'REGULARIZATION_.01'],
  ['λ = .1', 'REGULARIZATION_.1'],
]);

/**
 * Reads the authors' logs for some models from a folder. For each model that is one of the following: the folder of that model as it lies in
 * the thesis' repository, at any depth; `<id>.csv`; event files in `<id>/` or its subfolders, or event files whose names begin with the id.
 *
 * @returns the logs of those models that have one
 * @throws {ReproError} `report-input` if the folder does not exist, or a file in it is invalid
 */
export async function readReference(folder: string, models: readonly ReferenceModel[]): Promise<Reference> {
  const found = new Map<string, ReferenceCurves>();
  for (const [id, log] of await findLogs(folder, models)) {
    const read =
      'csv' in log
        ? readCsv(folder, log.csv)
        : 'checkpoint' in log
          ? readCheckpoint(folder, log.checkpoint)
          : readEvents(folder, log);
    found.set(id, await read);
  }
  return found;
}

/** Finds the logs that `readReference` reads, without opening them. @throws {ReproError} as there */
export async function findLogs(
  folder: string,
  models: readonly ReferenceModel[],
): Promise<[id: string, log: Log][]> {
  const files = await listFiles(folder);
  const ids = models.map(({ id }) => id);
  return models.flatMap(({ id, published }): [string, Log][] => {
    const logs = [findLog(files, id, ids, folder), ...findAuthorsLogs(files, published)].filter(
      (log) => log !== null,
    );
    const [log, second] = logs;
    if (second !== undefined) failTwo(folder, id, logs.map(nameLog));
    return log === undefined ? [] : [[id, log]];
  });
}

/**
 * The logs in the folders `pt_<NAME>_val_…` of a model. A checkpoint, if it is there, has the curves of all epochs; the event files begin
 * where the last of several sessions began.
 */
function findAuthorsLogs(files: readonly string[], published: string | null): Log[] {
  const name = AUTHORS_NAMES.get(published ?? '');
  if (name === undefined) return [];
  const pattern = new RegExp(`^(?:.*/)?pt_${name.replace('.', '\\.')}_val_[^/]*_DVS128Gesture_[^/]*/`);
  const folders = new Set(files.flatMap((file) => pattern.exec(file)?.[0] ?? []));
  return [...folders].map((folder) => {
    const own = files.filter((file) => file.startsWith(folder));
    const checkpoint = own.find((file) => file === `${folder}checkpoint.pt`);
    if (checkpoint !== undefined) return { checkpoint };
    const losses = own.filter((file) => file.endsWith('_loss_data.csv'));
    return { events: own.filter(isEventFile), losses };
  });
}

function nameLog(log: Log): string {
  if ('csv' in log) return log.csv;
  return 'checkpoint' in log ? log.checkpoint : (log.events[0] ?? log.losses[0] ?? 'an empty folder');
}

function failTwo(folder: string, model: string, [one, other]: readonly string[]): never {
  throw new ReproError('report-input', `There are two logs for "${model}": ${one} and ${other}.`, {
    where: folder,
    fix: 'Remove one of them.',
  });
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => withSlashes(relative(folder, join(entry.parentPath, entry.name))))
      .sort();
  } catch (cause) {
    const problem = hasErrorCode(cause, 'ENOENT') ? 'does not exist' : `cannot be read: ${String(cause)}`;
    throw new ReproError('report-input', `The folder of the authors’ logs ${problem}.`, {
      where: folder,
      fix: 'Correct `reference.logs` in the profile, or remove it: the logs are optional.',
      cause,
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
  if (csv !== undefined && events.length > 0) failTwo(folder, model, [csv, events[0]!]);
  if (csv !== undefined) return { csv };
  return events.length === 0 ? null : { events, losses: [] };
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

/** The curves in a checkpoint's `log_data_list`. Nothing in the file is run, and no tensor is read. */
async function readCheckpoint(folder: string, name: string): Promise<ReferenceCurves> {
  const file = join(folder, name);
  const fail = (problem: string, cause?: ReproError): never => {
    throw new ReproError('report-input', problem, {
      where: file,
      fix: 'Download the file again, or move it elsewhere to use the `logs` folder beside it, which covers fewer epochs.',
      cause,
    });
  };
  const log = await openTorchFile(file)
    .then(async ({ value, close }) => {
      await close();
      return readCurves(value instanceof Map ? value.get('log_data_list') : undefined);
    })
    .catch((cause: unknown) => {
      if (!(cause instanceof ReproError)) throw cause;
      return fail(`This checkpoint’s curves cannot be read: ${cause.message}`, cause);
    });
  if (log.points.length === 0) fail('This checkpoint has no curves (log_data_list).');
  const scalars = log.points
    .filter(({ step }) => Number.isSafeInteger(step) && step >= 0)
    .map((point) => ({ ...point, wallTimeSeconds: 0 }));
  return place(collectReferenceEvents([{ file, scalars }]), file, []);
}

async function readEvents(
  folder: string,
  { events: names, losses }: Extract<Log, { events: unknown }>,
): Promise<ReferenceCurves> {
  const files: { file: string; scalars: readonly ScalarEvent[] }[] = [];
  const truncated: string[] = [];
  for (const name of names) {
    const file = join(folder, name);
    const { scalars, truncatedAt } = decodeEventFile(await readFile(file), file);
    if (truncatedAt !== null) truncated.push(name);
    files.push({ file, scalars });
  }
  for (const name of losses) {
    const file = join(folder, name);
    files.push({ file, scalars: parseLossCsv(await readFile(file, 'utf8'), file) });
  }
  return place(collectReferenceEvents(files), join(folder, names[0] ?? losses[0] ?? ''), truncated);
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
