import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { decodeEventFile, type ScalarEvent } from '../../formats/tfevents.ts';
import { openTorchFile, type PickleValue } from '../../formats/torch-pt.ts';
import { parseTable } from '../../results/result-file.ts';
import type { EpochPoint, ReferenceCurves, ReferenceLogs } from '../data/results.ts';

/** A model's log: the paths of its files, relative to the folder, with `/`. At least one. */
type Log = readonly string[];

interface ReferenceModel {
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

/** The cure for a log that cannot be read. */
const LOG_FORMS = 'docs/report.md lists the forms of the authors’ logs that can be read.';

/**
 * Reads the authors' logs for some models from a folder. For each model that is one of the following: the folder of that model as it lies in
 * the thesis' repository, at any depth; `<id>.csv`; event files in `<id>/` or its subfolders.
 *
 * @returns the logs of those models that have one
 * @throws {ReproError} `report-input` or `results-invalid` if the folder does not exist, or a file in it is invalid
 */
export async function readReference(
  folder: string,
  models: readonly ReferenceModel[],
): Promise<ReferenceLogs> {
  const found = new Map<string, ReferenceCurves>();
  for (const [id, log] of await findLogs(folder, models)) found.set(id, await readLog(folder, log));
  return found;
}

/** Finds the logs that `readReference` reads, without opening them. @throws {ReproError} as there */
async function findLogs(
  folder: string,
  models: readonly ReferenceModel[],
): Promise<[id: string, log: Log][]> {
  const files = await listFiles(folder);
  return models.flatMap(({ id, published }): [string, Log][] => {
    const inFolder = files.filter((file) => file.startsWith(`${id}/`));
    const table = files.filter((file) => file === `${id}.csv`);
    const found = [table, inFolder.filter(isEventFile), ...findAuthorsLogs(files, published)];
    const [log, second] = found.filter(({ length }) => length > 0);
    if (log !== undefined && second !== undefined) {
      const problem = `There are two logs for "${id}": ${log[0]} and ${second[0]}.`;
      throw new ReproError('report-input', problem, { where: folder, fix: 'Remove one of them.' });
    }
    if (log === undefined && inFolder.length > 0) {
      throw new ReproError('report-input', 'This folder contains no event file of TensorBoard.', {
        where: join(folder, id),
        fix: 'Event files have "tfevents" in their names: docs/report.md.',
      });
    }
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
    const checkpoint = `${folder}checkpoint.pt`;
    if (files.includes(checkpoint)) return [checkpoint];
    return files.filter((file) => file.startsWith(folder) && isEventFile(file));
  });
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
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

function isEventFile(file: string): boolean {
  return /tfevents[^/]*$/.test(file) && !file.endsWith('.partial');
}

async function readLog(folder: string, log: Log): Promise<ReferenceCurves> {
  const files: { file: string; scalars: readonly ScalarEvent[] }[] = [];
  for (const name of log) {
    const file = join(folder, name);
    if (name.endsWith('.pt')) files.push({ file, scalars: await readCheckpoint(file) });
    else if (name.endsWith('.csv'))
      files.push({ file, scalars: parseCsv(await readFile(file, 'utf8'), file) });
    else files.push({ file, scalars: await readEvents(file) });
  }
  const placed = placeOnEpochs(collectCurves(files));
  if (placed !== null) return placed;
  throw new ReproError('report-input', 'This log has no value of test_accuracy or val_accuracy.', {
    where: join(folder, log[0] ?? ''),
    fix: 'The epochs come from these tags: docs/formats.md lists all tags.',
  });
}

/** The scalars of a whole event file: curves that end early would look like a training that did. */
async function readEvents(file: string): Promise<readonly ScalarEvent[]> {
  const { scalars, truncatedAt } = decodeEventFile(await readFile(file), file);
  if (truncatedAt === null) return scalars;
  throw new ReproError('report-input', `This event file is cut off in the record at byte ${truncatedAt}.`, {
    where: file,
    fix: 'Fetch it again from where it was written.',
  });
}

/** The rows of a log in CSV form, with columns in any order and possibly others. @throws {ReproError} `results-invalid` with the line */
function parseCsv(text: string, file: string): ScalarEvent[] {
  return parseTable({ file, text, fix: LOG_FORMS }, ['step', 'value', 'tag']).rows.map((row) => ({
    tag: row.text('tag'),
    step: row.count('step'),
    value: row.number('value'),
    wallTimeSeconds: 0,
  }));
}

/** The curves in a checkpoint's `log_data_list`. Nothing in the file is run, and no tensor is read. */
async function readCheckpoint(file: string): Promise<ScalarEvent[]> {
  const fail = (problem: string, cause?: ReproError): never => {
    throw new ReproError('report-input', problem, {
      where: file,
      fix: 'Download the file again, or move it elsewhere to use the `logs` folder beside it, which covers fewer epochs.',
      cause,
    });
  };
  const points = await openTorchFile(file)
    .then(async ({ value, close }) => {
      await close();
      return readCurves(value instanceof Map ? value.get('log_data_list') : undefined);
    })
    .catch((cause: unknown) => {
      if (!(cause instanceof ReproError)) throw cause;
      return fail(`This checkpoint’s curves cannot be read: ${cause.message}`, cause);
    });
  if (points.length === 0) fail('This checkpoint has no curves (log_data_list).');
  return points
    .filter(({ step }) => Number.isSafeInteger(step) && step >= 0)
    .map((point) => ({ ...point, wallTimeSeconds: 0 }));
}

/** A logged value; the unit of its step depends on the tag. */
interface LoggedPoint {
  readonly step: number;
  readonly value: number;
}

/** Points by tag, in ascending steps. */
type LoggedCurves = ReadonlyMap<string, readonly LoggedPoint[]>;

/** The original's tags that the report reads; others are ignored. */
const TAG = /^(?:(?:test|val)_accuracy|w\d{1,2})$/;

/**
 * The curves of a model's log. If a tag has the same step twice, as after a resumed training, the later one counts: by time, and at the same
 * time by its place. A value that is NaN or infinite is a gap.
 *
 * @throws {ReproError} `report-input` if an accuracy is not between 0 and 1
 */
function collectCurves(
  files: readonly { readonly file: string; readonly scalars: readonly ScalarEvent[] }[],
): LoggedCurves {
  const collected = new Map<string, Map<number, number>>();
  const sorted = files
    .flatMap(({ file, scalars }) => scalars.map((scalar) => ({ file, ...scalar })))
    .filter(({ tag }) => TAG.test(tag))
    .sort((a, b) => a.wallTimeSeconds - b.wallTimeSeconds);
  for (const { file, tag, step, value } of sorted) {
    if (tag.endsWith('_accuracy') && (value < 0 || value > 1)) {
      const problem = `${tag} at step ${step}: expected an accuracy from 0 to 1, found ${value}`;
      const fix = LOG_FORMS;
      throw new ReproError('report-input', problem, { where: file, fix });
    }
    collected.set(tag, (collected.get(tag) ?? new Map<number, number>()).set(step, value));
  }
  return new Map(
    [...collected].map(([tag, points]) => [
      tag,
      [...points]
        .filter(([, value]) => Number.isFinite(value))
        .map(([step, value]) => ({ step, value }))
        .sort((a, b) => a.step - b.step),
    ]),
  );
}

/**
 * Assigns logged curves to the epochs of their training. Test and validation are logged by epoch, from 0; w by the number of batches before
 * it, after each epoch. So there is no need to assume a batch size, which changed during some of the authors' trainings.
 *
 * @returns null if nothing was tested or validated
 */
function placeOnEpochs(curves: LoggedCurves): ReferenceCurves | null {
  const pointsOf = (tag: string): readonly LoggedPoint[] => curves.get(tag) ?? [];
  const [test, validation] = ['test_accuracy', 'val_accuracy'].map((tag) =>
    pointsOf(tag).map(({ step, value }): EpochPoint => ({ epoch: step + 1, value })),
  ) as [EpochPoint[], EpochPoint[]];
  const epochs = listOnce([...test, ...validation].map(({ epoch }) => epoch));
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (first === undefined || last === undefined) return null;
  const layers = [...curves.keys()].flatMap((tag) => /^w(\d+)$/.exec(tag)?.[1] ?? []).map(Number);
  const wOf = Array.from({ length: Math.max(-1, ...layers) + 1 }, (_, layer) => pointsOf(`w${layer}`));
  const epochAt = findEpochs(epochs, listOnce(wOf.flat().map(({ step }) => step)));
  return {
    epochs: [first, last],
    accuracy: { validation, test },
    tau: wOf.map((points) =>
      points.flatMap(({ step, value }) => {
        const epoch = epochAt?.get(step);
        return epoch === undefined ? [] : [{ epoch, value: 1 + Math.exp(-value) }];
      }),
    ),
  };
}

/**
 * The epochs, from 1, after which w was logged, by its steps. If there are as many steps as epochs, they are matched in order. If all are
 * multiples of their smallest distance, the log is of a training from its start with that many batches per epoch.
 *
 * @returns null if neither holds
 */
function findEpochs(epochs: readonly number[], steps: readonly number[]): Map<number, number> | null {
  if (steps.length === epochs.length) return new Map(steps.map((step, i) => [step, epochs[i]!]));
  const distances = steps.slice(1).map((step, i) => step - steps[i]!);
  const perEpoch = distances.length === 0 ? steps[0] : Math.min(...distances);
  if (perEpoch === undefined || steps.some((step) => step % perEpoch !== 0)) return null;
  return new Map(steps.map((step) => [step, step / perEpoch]));
}

function listOnce(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** One point of a curve, as the original passes it to TensorBoard. */
interface CurvePoint {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** The thesis' runs have about 25,000. */
const MOST_POINTS = 1_000_000;
const MOST_TAG_LENGTH = 100;

/** The points in `log_data_list`: for each epoch, a list of `(tag, value, step)`. Anything else is skipped. */
export function readCurves(log: PickleValue | undefined): CurvePoint[] {
  const points: CurvePoint[] = [];
  let items = 0;
  for (const epoch of Array.isArray(log) ? log : []) {
    for (const item of Array.isArray(epoch) ? epoch : []) {
      const [tag, value, step] = Array.isArray(item) ? item : [];
      const isPoint = typeof tag === 'string' && typeof value === 'number' && typeof step === 'number';
      if (isPoint && tag.length <= MOST_TAG_LENGTH) points.push({ tag, step, value });
      // A small file could repeat one list a million times.
      if (++items >= MOST_POINTS) return points;
    }
  }
  return points;
}
