import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { type DatasetFacts, toFacts } from './dataset-facts.ts';

/** Reads the file of a data set that a pipeline has checked. */
export async function readDatasetFacts(file: string): Promise<DatasetFacts> {
  return toFacts(path.basename(file, '.yaml'), parse(await readFile(file, 'utf8')));
}
