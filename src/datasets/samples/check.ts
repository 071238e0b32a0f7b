import { createHash } from 'node:crypto';
import { ReproError } from '../../errors.ts';
import type { ManifestFile } from '../../results/manifest.ts';
import type { ReadOptions } from '../dataset.ts';
import { hashChunks } from '../file-hash.ts';
import { readWhole, type TreeFile } from '../file-tree.ts';
import { describeProblem } from '../problems.ts';
import { defineThreadJob } from '../thread-job.ts';
import { runInThreads } from '../thread-pool.ts';
import { type SampleLayout, sampleIn } from './layout.ts';
import { locateSamples, type SamplePlace } from './locate.ts';

/** What was found in some files, in name order. */
export interface CheckedFiles {
  readonly files: readonly ManifestFile[];
  /** Names of the samples that are right. */
  readonly samples: readonly string[];
  /** One per sample that is accepted but not right. */
  readonly warnings: readonly string[];
  /** One per sample that cannot be read. */
  readonly problems: readonly string[];
}

/** Some files of one part. */
interface CheckTask {
  readonly position: number;
  readonly part: number;
  readonly names: readonly string[];
}

/** Opening a zip of 60,000 samples takes a tenth of a second: this many tasks keep all threads busy and cost little. */
const TASKS_PER_THREAD = 4;

/** Threads know a layout by its name, since functions cannot be sent to them. */
const layouts = new Map<string, SampleLayout>();

export function knowLayout(layout: SampleLayout): void {
  layouts.set(layout.name, layout);
}

/**
 * Reads every file of the places to its end; samples are decoded. What is found does not depend on the threads.
 *
 * @throws {ReproError} `archive-…` for a zip that cannot be opened
 */
export async function checkSamples(
  layout: SampleLayout,
  root: string,
  places: readonly SamplePlace[],
  { threads, signal, progress }: Pick<ReadOptions, 'threads' | 'signal' | 'progress'>,
): Promise<CheckedFiles> {
  const count = threads?.count ?? 1;
  const tasks: CheckTask[] = [];
  let total = 0;
  for (const [position, { part, tree }] of places.entries()) {
    const names = await tree.list();
    total += names.filter((name) => sampleIn(layout, part, name) !== null).length;
    const share = Math.max(1, Math.ceil(names.length / (TASKS_PER_THREAD * count)));
    for (let at = 0; at < names.length; at += share) {
      tasks.push({ position: tasks.length, part: position, names: names.slice(at, at + share) });
    }
  }
  let done = 0;
  const found: CheckedFiles[] = [];
  if (threads === undefined) {
    for (const task of tasks) {
      const wanted = new Set(task.names);
      const onSample = () => progress?.(++done, total);
      found.push(await checkFiles(layout, places[task.part]!, wanted, { signal, onSample }));
    }
  } else {
    await runInThreads(CHECK_JOB, {
      ...{ threads, tasks, signal, setup: { layout: layout.name, root } },
      receive: ({ position, ...checked }) => {
        found[position] = checked;
        done += checked.samples.length;
        progress?.(done, total);
        return undefined;
      },
    });
  }
  return {
    files: found.flatMap(({ files }) => files),
    samples: found.flatMap(({ samples }) => samples),
    warnings: found.flatMap(({ warnings }) => warnings),
    problems: found.flatMap(({ problems }) => problems),
  };
}

const CHECK_JOB = defineThreadJob<
  { readonly layout: string; readonly root: string },
  CheckTask,
  CheckedFiles & { readonly position: number }
>('check-samples', (setup, port) => {
  const layout = layouts.get(setup.layout);
  if (layout === undefined) throw new RangeError(`no layout ${setup.layout} in this thread`);
  return async ({ position, part, names }) => {
    const place = (await locateSamples(layout, setup.root))[part];
    if (place === undefined) throw new RangeError(`no part ${part} of ${setup.layout}`);
    await port.send({ position, ...(await checkFiles(layout, place, new Set(names), {})) });
  };
});

async function checkFiles(
  layout: SampleLayout,
  { part, tree }: SamplePlace,
  wanted: ReadonlySet<string>,
  run: { readonly signal?: AbortSignal | undefined; readonly onSample?: () => void },
): Promise<CheckedFiles> {
  const files: ManifestFile[] = [];
  const samples: string[] = [];
  const warnings: string[] = [];
  const problems: string[] = [];
  const check = async (file: TreeFile): Promise<void> => {
    if (sampleIn(layout, part, file.path) === null) {
      const hash = await hashChunks(file.open(), run.signal);
      files.push({ path: file.path, ...hash, status: 'unlisted' });
      return;
    }
    const bytes = await readWhole(file, layout.largestSampleBytes);
    warnings.push(...(await layout.decode(bytes, file.path)).warnings);
    const md5 = createHash('md5').update(bytes).digest('hex');
    files.push({ path: file.path, sizeBytes: bytes.length, md5, status: 'ok' });
    samples.push(file.path);
    run.onSample?.();
  };
  await tree.walk(
    async (file) => {
      if (!wanted.has(file.path)) return;
      await check(file).catch((error: unknown) => {
        if (!(error instanceof ReproError)) throw error;
        problems.push(describeProblem(error));
      });
    },
    run.signal,
    wanted,
  );
  return { files, samples, warnings, problems };
}
