import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { formatBytes, formatCount, listSome } from '../../base/text.ts';
import type { SampleFacts } from '../../results/dataset-facts.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { SPLITS, type Split } from '../contract/clips.ts';
import type { ReadOptions } from '../contract/dataset.ts';
import { checkKind, howToGet, showPath } from '../contract/how-to-get.ts';
import { describeProblem, makeManifest, Problems } from '../contract/problems.ts';
import { hashChunks, hashFile, md5Of, readWhole, type TreeFile } from '../reading/file-tree.ts';
import { defineThreadJob, runInThreads } from '../reading/threads.ts';
import { warnOfBothSplits } from './both-splits.ts';
import {
  decodeSample,
  isTar,
  LARGEST_SAMPLE_BYTES,
  locateSamples,
  readTestList,
  type SampleLayout,
  type SamplePlace,
  sampleIn,
  sampleLayout,
  splitSamples,
} from './layout.ts';
import { describeNames } from './names.ts';

/** Sample warnings shown; if there are more, they usually have one cause. */
const MOST_WARNINGS = 20;

/**
 * Reads every sample to its end and checks its events; zips also by md5 and checksums. An incomplete set of unpacked
 * samples is accepted with a warning.
 *
 * @throws {ReproError} `data-missing`, `data-kind` if simulated samples are asked for and there are only real ones, or the other way round, or `data-corrupt`
 */
export async function verifySamples(
  layout: SampleLayout,
  root: string,
  options: ReadOptions,
): Promise<Manifest> {
  const { facts } = layout;
  checkKind(facts, 'samples', options.simulated);
  const places = await locateSamples(layout, root);
  const problems = new Problems();
  const [archives, found] = await Promise.all([
    hashArchives(places, options.signal, problems),
    checkSamples(layout, root, places, options),
  ]);
  for (const problem of found.problems) problems.addPlace('samples cannot be read', problem);
  const { files, warnings } = leaveOutDuplicates(layout, found);
  const samples = files.flatMap(({ path, status }) => (status === 'ok' ? path : []));
  const splits = splitSamples(layout, samples, await readTestList(layout, root, places));
  for (const split of SPLITS) {
    // Those that cannot be read are named above.
    if (splits[split].length > 0 || found.problems.length > 0) continue;
    const noun = split === 'train' ? 'training samples' : 'test samples';
    problems.addPlace('no samples', `no ${noun}: their names look like ${describeNames(facts)}`);
  }
  problems.throwIfAny({
    where: showPath(root),
    what: facts.title,
    fix: facts.simulated
      ? 'Make them again: `./repro run simulate --force`.'
      : facts.homepage === undefined
        ? `Correct them, or take them out of the folder; or correct configs/datasets/${facts.name}.yaml.`
        : `Download or unpack these again. If a zip has only some of the samples, unpack it.\n${howToGet(facts, root)}`,
    log: options.log,
  });
  const labels = (split: Split) => splits[split].map((sample) => sample.class);
  return makeManifest(
    facts,
    'sample',
    { train: labels('train'), test: labels('test') },
    {
      archive: places.every(({ archive }) => archive !== null),
      warnings: [
        ...warnOfBothSplits(facts, splits),
        ...describeIgnored(facts, files),
        ...foldWarnings(warnings),
      ],
      files: [...archives, ...files],
      users: [...splits.train, ...splits.test].flatMap(({ user }) => user ?? []),
    },
  );
}

/** The zips themselves, which must be the published ones. */
async function hashArchives(
  places: readonly SamplePlace[],
  signal: AbortSignal | undefined,
  problems: Problems,
): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const { part, archive } of places) {
    if (archive === null) continue;
    const file = await hashFile(archive, signal);
    files.push({ path: part.archive, ...file, status: 'archive' });
    if (part.md5 === null || file.md5 === part.md5) continue;
    problems.addPlace(
      'archives are not the published ones',
      `${part.archive} (${formatBytes(file.sizeBytes)}): md5 ${file.md5} is not ${part.md5}`,
    );
  }
  return files;
}

/** Otherwise a sample under another name would be missed silently. */
function describeIgnored(facts: SampleFacts, files: readonly ManifestFile[]): string[] {
  const others = files.filter(({ status, path }) => status === 'unlisted' && path !== facts.split.testList);
  const names = others.map((file) => file.path);
  if (names.length === 0) return [];
  const many = names.length === 1 ? 'file is not a sample' : 'files are not samples';
  return [`${names.length} ${many} (${describeNames(facts)}) and not used: ${listSome(names)}.`];
}

/** Of samples with the same bytes, class and user, only the first by name is used, if the data set says so. */
function leaveOutDuplicates(
  { facts, parseName }: SampleLayout,
  found: CheckedFiles,
): Pick<CheckedFiles, 'files' | 'warnings'> {
  if (facts.duplicates === undefined) return found;
  const seen = new Set<string>();
  const twice: string[] = [];
  const files = found.files
    .toSorted((a, b) => compareCodeUnits(a.path, b.path))
    .map((file) => {
      const name = parseName(file.path);
      const key = `${name?.class} ${name?.user} ${file.md5}`;
      if (name === null || seen.size < seen.add(key).size) return file;
      twice.push(file.path);
      return { ...file, status: 'duplicate' as const };
    });
  const count = formatCount(twice.length, 'sample');
  const text = `${count} left out, with the bytes of another one of the same class and user: ${listSome(twice)}.`;
  return { files, warnings: twice.length === 0 ? found.warnings : [text, ...found.warnings] };
}

function foldWarnings(warnings: readonly string[]): string[] {
  if (warnings.length <= MOST_WARNINGS) return [...warnings];
  return [
    ...warnings.slice(0, MOST_WARNINGS),
    `and ${warnings.length - MOST_WARNINGS} more sample warnings.`,
  ];
}

/** What was found in some files, in name order. */
interface CheckedFiles {
  readonly files: readonly ManifestFile[];
  /** One per sample that is accepted but not right. */
  readonly warnings: readonly string[];
  /** One per sample that cannot be read. */
  readonly problems: readonly string[];
}

interface CheckTask {
  readonly position: number;
  readonly part: number;
  readonly names: readonly string[];
}

/** Opening a zip of 60,000 samples takes a tenth of a second: this many tasks keep all threads busy and cost little. */
const TASKS_PER_THREAD = 4;

/**
 * Reads every file of the places to its end; samples are decoded. What is found does not depend on the threads.
 *
 * @throws {ReproError} `archive-…` for a zip that cannot be opened
 */
async function checkSamples(
  layout: SampleLayout,
  root: string,
  places: readonly SamplePlace[],
  { threads, signal, progress }: Pick<ReadOptions, 'threads' | 'signal' | 'progress'>,
): Promise<CheckedFiles> {
  const count = threads?.count ?? 1;
  const tasks: CheckTask[] = [];
  let total = 0;
  for (const [position, place] of places.entries()) {
    const { part, tree } = place;
    const names = await tree.list();
    total += names.filter((name) => sampleIn(layout, part, name) !== null).length;
    // Each task would unpack all of a `.tar.gz`.
    const share = Math.max(1, Math.ceil(names.length / (isTar(place) ? 1 : TASKS_PER_THREAD * count)));
    for (let at = 0; at < names.length; at += share) {
      tasks.push({ position: tasks.length, part: position, names: names.slice(at, at + share) });
    }
  }
  let done = 0;
  const found: CheckedFiles[] = [];
  if (threads === undefined || places.some(isTar)) {
    for (const task of tasks) {
      const wanted = new Set(task.names);
      const onSample = () => progress?.(++done, total);
      found.push(await checkFiles(layout, places[task.part]!, wanted, { signal, onSample }));
    }
  } else {
    await runInThreads(CHECK_JOB, {
      ...{ threads, tasks, signal, setup: { facts: layout.facts, root } },
      receive: ({ position, ...checked }) => {
        found[position] = checked;
        done += checked.files.filter(({ status }) => status === 'ok').length;
        progress?.(done, total);
      },
    });
  }
  return {
    files: found.flatMap(({ files }) => files),
    warnings: found.flatMap(({ warnings }) => warnings),
    problems: found.flatMap(({ problems }) => problems),
  };
}

const CHECK_JOB = defineThreadJob<
  { readonly facts: SampleFacts; readonly root: string },
  CheckTask,
  CheckedFiles & { readonly position: number }
>('check-samples', (setup, port) => {
  const layout = sampleLayout(setup.facts);
  return async ({ position, part, names }) => {
    const place = (await locateSamples(layout, setup.root))[part];
    if (place === undefined) throw new RangeError(`no part ${part} of ${setup.facts.name}`);
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
  const warnings: string[] = [];
  const problems: string[] = [];
  const check = async (file: TreeFile): Promise<void> => {
    const name = sampleIn(layout, part, file.path);
    if (name === null) {
      const hash = await hashChunks(file.open(), run.signal);
      files.push({ path: file.path, ...hash, status: 'unlisted' });
      return;
    }
    const bytes = await readWhole(file, LARGEST_SAMPLE_BYTES);
    warnings.push(...(await decodeSample(layout, name, bytes, file.path)).warnings);
    files.push({ path: file.path, sizeBytes: bytes.length, md5: md5Of(bytes), status: 'ok' });
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
  return { files, warnings, problems };
}
