import { readFile } from 'node:fs/promises';
import { hasErrorCode, ReproError } from '../errors.ts';
import { type Fields, parseFields } from '../formats/fields.ts';

const code = 'results-invalid';

/** A file that a stage left. */
export interface ReadText {
  readonly file: string;
  readonly text: string;
  readonly fix: string;
}

/** @throws {ReproError} `results-invalid` naming the file, and the command that makes it again */
export async function readText(file: string, stage: string): Promise<ReadText> {
  const fix = `Make it again: ./repro run ${stage} --force`;
  return { file, text: await readResult(file, fix, readFile(file, 'utf8')), fix };
}

/** What is read from a file that a stage left: missing or unreadable, it is named. */
export async function readResult<T>(file: string, fix: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const problem = hasErrorCode(cause, 'ENOENT') ? 'is missing.' : `cannot be read: ${String(cause)}`;
    throw new ReproError(code, problem, { where: file, fix, cause });
  }
}

export function fieldsOf({ file, text, fix }: ReadText): Fields {
  return parseFields(text, { file, code, fix });
}

export function refuse({ file, fix }: ReadText, problem: string): never {
  throw new ReproError(code, problem, { where: file, fix });
}
