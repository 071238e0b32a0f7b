import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { fetchFiles } from '../../../src/datasets/fetch/fetch-files.ts';
import type { RemoteFile } from '../../../src/datasets/fetch/remote-file.ts';

// Downloads a file and kills its own process, without a chance to clean up, before one of the steps that it takes on the disk.
const [folder = '', file = '', deadly = ''] = process.argv.slice(2);

let steps = 0;
function die(): boolean {
  return String(steps++) === deadly && process.kill(process.pid, 'SIGKILL');
}

/** The same function, after the kill if its turn has come. */
function deadlier<A extends unknown[], R>(act: (...args: A) => R): (...args: A) => R | undefined {
  return (...args) => (die() ? undefined : act(...args));
}

const { link, mkdir, open, rename, rm, writeFile } = fs;
Object.assign(fs, {
  link: deadlier(link),
  mkdir: deadlier(mkdir),
  rename: deadlier(rename),
  rm: deadlier(rm),
  writeFile: deadlier(writeFile),
  open: deadlier(async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    const write = handle.write.bind(handle) as (...args: unknown[]) => ReturnType<FileHandle['write']>;
    return Object.assign(handle, { write: deadlier(write), sync: deadlier(handle.sync.bind(handle)) });
  }),
});
syncBuiltinESMExports();

const remote: RemoteFile = JSON.parse(file);
void fetchFiles([remote], folder).then(() => process.stdout.write('complete'));
