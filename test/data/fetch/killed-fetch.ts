import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { fetchFiles } from '../../../src/data/fetch/fetch-files.ts';
import type { PublishedFile } from '../../../src/results/dataset-facts.ts';
import { DeadlySteps } from '../../support/deadly-steps.ts';

// Downloads a file and kills its own process, without a chance to clean up, before one of the steps that it takes on the disk.
const [folder = '', file = '', deadly = ''] = process.argv.slice(2);

const steps = new DeadlySteps(deadly);
for (const [all, names] of [
  [fs, ['linkSync', 'mkdirSync', 'writeFileSync', 'appendFileSync', 'rmSync', 'openSync', 'unlinkSync']],
  [promises, ['mkdir', 'open', 'rename', 'rm', 'writeFile']],
] as const) {
  const functions = all as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of names) functions[name] = steps.before(functions[name]!);
}
syncBuiltinESMExports();

const remote: PublishedFile = JSON.parse(file);
void fetchFiles({ files: [remote], homepage: 'https://publisher.invalid/' }, folder).then(() =>
  process.stdout.write('complete'),
);
