import { ReproError } from '../../errors.ts';
import type { ScalarEvent } from '../../formats/tfevents.ts';
import type { EpochPoint, ReferenceCurves } from '../data/results.ts';

/** A logged value; the unit of its step depends on the tag. */
interface LoggedPoint {
  readonly step: number;
  readonly value: number;
}

/** The cure for a log that cannot be read. */
export const LOG_FORMS = 'docs/tensorboard.md lists the forms of the authors’ logs that can be read.';

/** Points by tag, in ascending steps. */
export type LoggedCurves = ReadonlyMap<string, readonly LoggedPoint[]>;

/** The original's tags that the report reads; others are ignored. */
const TAG = /^(?:train_accuracy|train_loss|test_accuracy|val_accuracy|w(?:_std)?\d{1,2})$/;

/**
 * The curves of a model's log. If a tag has the same step twice, as after a resumed training, the later one counts: by time, and at the same
 * time by its place. A value that is NaN or infinite is a gap.
 *
 * @throws {ReproError} `report-input` if an accuracy is not between 0 and 1
 */
export function collectCurves(
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

/** The training batches of one epoch: from `start` up to, but excluding, `end`, counted over all epochs. */
interface EpochBatches {
  /** From 0. */
  readonly epoch: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Assigns logged curves to the epochs of their training. Test and validation are logged by epoch, from 0; training batches and w by the
 * number of batches before them. The logs themselves reveal how many batches an epoch had, because w is logged after each epoch. So there
 * is no need to assume a batch size, which changed during some of the authors' trainings.
 *
 * @returns null if nothing was tested or validated
 */
export function placeOnEpochs(curves: LoggedCurves, truncated: readonly string[]): ReferenceCurves | null {
  const pointsOf = (tag: string): readonly LoggedPoint[] => curves.get(tag) ?? [];
  const epochs = listSteps([pointsOf('test_accuracy'), pointsOf('val_accuracy')]);
  const [first] = epochs;
  const last = epochs.at(-1);
  if (first === undefined || last === undefined) return null;

  const layers = countLayers(curves);
  const wOf = Array.from({ length: layers }, (_, layer) => pointsOf(`w${layer}`));
  const batches = findEpochBatches(epochs, listSteps(wOf));
  const byEpoch = (points: readonly LoggedPoint[]) =>
    points.map(({ step, value }): EpochPoint => ({ epoch: step + 1, value }));
  const steady = batches === null ? null : findSteadyBatches(batches);
  const byBatch = (points: readonly LoggedPoint[]) =>
    points.flatMap(({ step, value }): EpochPoint[] => {
      const found = batches?.find(({ start, end }) => step >= start && step < end)?.epoch;
      const epoch = found ?? (steady === null ? undefined : Math.floor(step / steady));
      return epoch === undefined ? [] : [{ epoch: epoch + 1, value }];
    });
  const epochAfter = new Map(batches?.map(({ epoch, end }) => [end, epoch]));
  return {
    epochs: [first + 1, last + 1],
    accuracy: {
      train: byBatch(pointsOf('train_accuracy')),
      validation: byEpoch(pointsOf('val_accuracy')),
      test: byEpoch(pointsOf('test_accuracy')),
    },
    trainLoss: byBatch(pointsOf('train_loss')),
    tau: wOf.map((points) =>
      points.flatMap(({ step, value }) => {
        const epoch = epochAfter.get(step);
        return epoch === undefined ? [] : [{ epoch: epoch + 1, value: 1 + Math.exp(-value) }];
      }),
    ),
    placed: batches !== null,
    truncated,
  };
}

/**
 * The batches of each epoch, from the steps at which w was logged. If there are as many steps as epochs, they are matched in order. If all
 * are multiples of their smallest distance, the log is of a training from its start with that many batches per epoch.
 *
 * @returns null if neither holds
 */
function findEpochBatches(epochs: readonly number[], ends: readonly number[]): EpochBatches[] | null {
  const distances = ends.slice(1).map((end, index) => end - (ends[index] ?? 0));
  const perEpoch = distances.length === 0 ? ends[0] : Math.min(...distances);
  if (perEpoch === undefined) return null;
  if (ends.length === epochs.length) {
    return epochs.map((epoch, index) => {
      const end = ends[index] ?? 0;
      return { epoch, start: ends[index - 1] ?? Math.max(0, end - perEpoch), end };
    });
  }
  if (ends.some((end) => end % perEpoch !== 0)) return null;
  return ends.map((end) => ({ epoch: end / perEpoch - 1, start: end - perEpoch, end }));
}

/**
 * The batches of every epoch, if all that are known have the same number and so must those before them: then points outside the logged epochs
 * have a place, too.
 */
function findSteadyBatches(batches: readonly EpochBatches[]): number | null {
  const perEpoch = (batches[0]?.end ?? 0) / ((batches[0]?.epoch ?? 0) + 1);
  const isSteady = batches.every(({ epoch, end }) => end === (epoch + 1) * perEpoch);
  return isSteady && Number.isInteger(perEpoch) && perEpoch > 0 ? perEpoch : null;
}

function listSteps(curves: readonly (readonly LoggedPoint[])[]): number[] {
  return [...new Set(curves.flatMap((points) => points.map(({ step }) => step)))].sort((a, b) => a - b);
}

function countLayers(curves: LoggedCurves): number {
  const layers = [...curves.keys()].flatMap((tag) => /^w(\d+)$/.exec(tag)?.[1] ?? []).map(Number);
  return layers.length === 0 ? 0 : Math.max(...layers) + 1;
}
