import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../base/errors.ts';
import { fixOf, RESULTS_INVALID, type ResultFile } from './result-file.ts';
import type { RunFiles, RunIdentity } from './trained-run.ts';

/** @throws {ReproError} `results-invalid` if the file is missing or cannot be read */
export async function readResultFile(file: string, instance: string): Promise<ResultFile> {
  return { file, text: (await readResultBytes(file, instance)).toString('utf8'), fix: fixOf(instance) };
}

/** The same for a file that is not text. */
export function readResultBytes(file: string, instance: string): Promise<Buffer> {
  return nameUnreadable(file, instance, readFile(file));
}

/** What reading a result gives; if it fails, the error names the file and the command that makes it again. */
export async function nameUnreadable<T>(file: string, instance: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const missing = hasErrorCode(cause, 'ENOENT');
    const problem = missing ? 'the file is missing' : `the file cannot be read: ${String(cause)}`;
    throw new ReproError(RESULTS_INVALID, problem, { where: file, fix: fixOf(instance), cause });
  }
}

/** The folders of a training and its evaluation. */
export interface RunFolders {
  readonly train: string;
  readonly evaluate: string;
}

/** Reads run.json, metrics.csv, evaluation.json and predictions.csv. @throws {ReproError} as `readResultFile` */
export async function readRunFiles(
  { train, evaluate }: RunFolders,
  { model, seed }: RunIdentity,
): Promise<RunFiles> {
  const instance = `@${model},${seed}`;
  const [run, metrics, evaluation, predictions] = await Promise.all([
    readResultFile(path.join(train, 'run.json'), `train${instance}`),
    readResultFile(path.join(train, 'metrics.csv'), `train${instance}`),
    readResultFile(path.join(evaluate, 'evaluation.json'), `evaluate${instance}`),
    readResultFile(path.join(evaluate, 'predictions.csv'), `evaluate${instance}`),
  ]);
  return { run, metrics, evaluation, predictions };
}

/** Writes the files of a stage into a folder. @param files by name; a name may have folders */
export async function writeStageFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
