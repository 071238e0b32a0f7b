import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fetchFiles } from '../../../src/data/fetch/fetch-files.ts';
import type { PublishedFile } from '../../../src/results/dataset-facts.ts';

// Downloads a file, and prints the peak of its own memory in bytes.
const [folder = '', file = ''] = process.argv.slice(2);

/** `maxRSS` also counts what the parent process had before this one's program was loaded into it; Linux knows better. */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}

const remote: PublishedFile = JSON.parse(file);
void fetchFiles({ files: [remote], homepage: 'https://publisher.invalid/' }, folder).then(() =>
  process.stdout.write(String(peakBytes())),
);
