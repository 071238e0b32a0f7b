import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import type { PublishedFile } from '../../../src/datasets/contract/dataset.ts';
import { fetchFiles } from '../../../src/datasets/fetch/fetch-files.ts';
import { DeadlySteps } from '../../support/deadly-steps.ts';

// Downloads a file and kills its own process, without a chance to clean up, before one of the steps that it takes on the disk.
const [folder = '', file = '', deadly = ''] = process.argv.slice(2);

const steps = new DeadlySteps(deadly);
const { link, mkdir, open, rename, rm, writeFile } = fs;
Object.assign(fs, {
  link: steps.before(link),
  mkdir: steps.before(mkdir),
  rename: steps.before(rename),
  rm: steps.before(rm),
  writeFile: steps.before(writeFile),
  open: steps.before(async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    const write = handle.write.bind(handle) as (...args: unknown[]) => ReturnType<FileHandle['write']>;
    return Object.assign(handle, {
      write: steps.before(write),
      sync: steps.before(handle.sync.bind(handle)),
    });
  }),
});
syncBuiltinESMExports();

const remote: PublishedFile = JSON.parse(file);
void fetchFiles([remote], folder).then(() => process.stdout.write('complete'));
