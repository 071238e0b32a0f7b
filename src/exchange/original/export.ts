import { appendFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { formatCount, formatPercent } from '../../base/text.ts';
import { writeSafetensors } from '../../formats/safetensors.ts';
import { decodeEventFile, encodeEventFileHeader, encodeScalarEvents } from '../../formats/tfevents.ts';
import { formatMetrics } from '../../results/metrics.ts';
import { formatRun, type RunFile } from '../../results/run-file.ts';
import { type Scalar, scalarsOf } from '../../results/tensorboard.ts';
import { describeSplit, type TrainingResult } from '../../training/train-on-frames.ts';
import type { Preparation } from './preparation.ts';

/** `run.json` of a checkpoint folder: that of a training in the pipeline, plus the number of epochs done. */
export interface OriginalRunFile extends RunFile {
  readonly epochsDone: number;
}

type Folders = Pick<Preparation, 'logFolder' | 'checkpointFolder'>;

/**
 * Writes a result, of all epochs or of those so far, to the original's two folders, under the original's names but for its ending `.pt`.
 * Each file is complete at any time.
 *
 * @param nowSeconds since 1970: the time of new points of the curves
 */
export async function exportTraining(
  { checkpointFolder, logFolder }: Folders,
  { run, clips, spec, outcome: { rows, best, last } }: TrainingResult,
  nowSeconds: number,
): Promise<OriginalRunFile> {
  const metadata: Record<string, string> = run.simulated ? { data: 'simulated' } : {};
  const exported = { ...run, epochsDone: rows.length };
  const points = rows.flatMap((row) => scalarsOf(spec, row));
  await writeCurves(logFolder, points, nowSeconds);
  const write = (folder: string, name: string, content: Uint8Array | string): Promise<void> =>
    writeFileAtomic(path.join(folder, name), content, { soleWriter: true });
  if (run.simulated) {
    // An event file has no place for this, and its curves look like any others.
    const text =
      'The curves in this folder come from simulated recordings and say nothing about real ones.\n';
    await write(logFolder, 'SIMULATED.txt', text);
  }
  await write(checkpointFolder, 'metrics.csv', formatMetrics(rows));
  await write(checkpointFolder, 'checkpoint.safetensors', writeSafetensors(last, metadata));
  await write(checkpointFolder, 'checkpoint_max.safetensors', writeSafetensors(best.state, metadata));
  await write(checkpointFolder, 'split.json', describeSplit(clips));
  await write(checkpointFolder, 'run.json', formatRun(exported));
  return exported;
}

/**
 * Brings the event file to these points; those that it already has keep their time. New ones are appended, so that TensorBoard shows them
 * live, unless a crash has cut the file off or left points of a later epoch: then it is written anew.
 */
async function writeCurves(folder: string, points: readonly Scalar[], nowSeconds: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const found = (await readdir(folder)).find((name) => /^events\.out\.tfevents\..*\.repro$/.test(name));
  const file = path.join(folder, found ?? `events.out.tfevents.${Math.floor(nowSeconds)}.repro`);
  const old = found === undefined ? Buffer.alloc(0) : Buffer.from(await readRegular(file));
  const times = readTimes(old, file);
  const events = points.map((point, i) => ({ ...point, wallTimeSeconds: times[i] ?? nowSeconds }));
  const header = encodeEventFileHeader(events[0]?.wallTimeSeconds ?? nowSeconds);
  const all = Buffer.concat([header, encodeScalarEvents(events)]);
  if (found !== undefined && all.subarray(0, old.length).equals(old)) {
    await appendFile(file, all.subarray(old.length));
  } else {
    // Under a temporary name without `tfevents`, which TensorBoard ignores.
    await writeFileAtomic(file, all);
  }
}

function readTimes(bytes: Uint8Array, file: string): number[] {
  try {
    return decodeEventFile(bytes, file).scalars.map(({ wallTimeSeconds }) => wallTimeSeconds);
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    return []; // Damaged, by a power cut: the points come from the checkpoint, and only their times are lost.
  }
}

/**
 * The result of a training, in lines.
 *
 * @param folder paths are shown relative to it
 */
export function describeTrainingResult(
  { model, dataset, simulated, seed, epochsDone, best, maximum }: OriginalRunFile,
  { logFolder, checkpointFolder }: Folders,
  folder: string,
): string[] {
  const validation =
    best.validationAccuracy === null
      ? 'no validation'
      : `validation ${formatPercent(best.validationAccuracy)}`;
  const test = best.testAccuracy === null ? 'not tested' : `test ${formatPercent(best.testAccuracy)}`;
  const seen = (one: string): string => path.relative(folder, one) || '.';
  return [
    `${model.title} (${dataset}${simulated ? ', simulated' : ''}), ${formatCount(epochsDone, 'epoch')}, seed ${seed}`,
    `kept: epoch ${best.epoch + 1}, ${validation}, ${test}`,
    `best test accuracy of any epoch: ${formatPercent(maximum.test.accuracy)} (epoch ${maximum.test.epoch + 1})`,
    `checkpoints: ${seen(checkpointFolder)}`,
    `TensorBoard: ${seen(logFolder)}`,
  ];
}
