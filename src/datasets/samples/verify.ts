import { ReproError } from '../../errors.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { formatBytes, listSome } from '../../text.ts';
import { type ReadOptions, SPLITS, type Split } from '../dataset.ts';
import { hashFile } from '../file-hash.ts';
import { byName } from '../file-tree.ts';
import { formatCount, Problems } from '../problems.ts';
import { rootOption, showPath } from '../show-path.ts';
import { checkSamples } from './check.ts';
import { type Sample, type SampleLayout, sampleIn, splitSamples } from './layout.ts';
import { locateSamples, type SamplePlace } from './locate.ts';

/** Sample warnings shown; if there are more, they usually have one cause. */
const MOST_WARNINGS = 20;

/**
 * Reads every sample to its end and checks its events; zips also by md5 and checksums. An incomplete set of unpacked
 * samples is accepted with a warning.
 *
 * @throws {ReproError} `data-missing`, `data-kind` if simulated samples are asked for, or `data-corrupt`
 */
export async function verifySamples(
  layout: SampleLayout,
  root: string,
  options: ReadOptions,
): Promise<Manifest> {
  if (options.simulated) failSimulated(layout);
  const places = await locateSamples(layout, root);
  const problems = new Problems();
  const [archives, found] = await together(options.signal, [
    (signal) => hashArchives(places, signal, problems),
    (signal) => checkSamples(layout, root, places, { ...options, signal }),
  ]);
  for (const { part, tree } of places) {
    for (const name of (await tree.others?.()) ?? []) {
      if (sampleIn(layout, part, name) !== null)
        problems.addPlace('samples cannot be read', `${name}  is no file`);
    }
  }
  for (const problem of found.problems) problems.addPlace('samples cannot be read', problem);
  const splits = splitSamples(layout, found.samples);
  const counted = SPLITS.flatMap((split) => checkCounts(layout, split, splits[split], problems));
  problems.throwIfAny({
    where: showPath(root),
    what: layout.title,
    fix:
      'Download or unpack these again; of a zip with part of the samples, unpack them.\n' +
      layout.howToGet(root),
    log: options.log,
  });
  const count = (split: Split) => ({ recordings: splits[split].length, clips: splits[split].length });
  const samples = [...splits.train, ...splits.test];
  return {
    version: 1,
    dataset: layout.name,
    simulated: false,
    archive: places.every(({ archive }) => archive !== null),
    splits: { train: count('train'), test: count('test') },
    perUser: {},
    perLight: {},
    perClass: Object.fromEntries(
      layout.classes.map((name, i) => [name, samples.filter((sample) => sample.class === i).length]),
    ),
    warnings: [...counted, ...describeIgnored(layout, found.files), ...foldWarnings(found.warnings)],
    files: [...archives, ...found.files].sort((a, b) => byName(a.path, b.path)),
  };
}

function failSimulated({ title, profile, usualRoot }: SampleLayout): never {
  throw new ReproError('data-kind', `there are no simulated ${title} samples.`, {
    where: 'dataset.simulated',
    fix:
      `For real samples: ./repro run verify --profile ${profile}${rootOption(usualRoot, usualRoot)}\n` +
      'For simulated gestures: ./repro run --profile quick',
  });
}

/** The zips themselves, which must be the published ones. */
async function hashArchives(
  places: readonly SamplePlace[],
  signal: AbortSignal,
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

/** Does both at the same time; if one fails, the other is stopped. */
async function together<A, B>(
  outer: AbortSignal | undefined,
  [first, second]: readonly [(signal: AbortSignal) => Promise<A>, (signal: AbortSignal) => Promise<B>],
): Promise<[A, B]> {
  const stop = new AbortController();
  const signal = outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal]);
  const both = [first(signal), second(signal)] as const;
  try {
    return await Promise.all(both);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(both);
    throw error;
  }
}

/** @returns warnings about samples that are missing or too many */
function checkCounts(
  layout: SampleLayout,
  split: Split,
  samples: readonly Sample[],
  problems: Problems,
): string[] {
  const warnings: string[] = [];
  const noun = split === 'train' ? 'training sample' : 'test sample';
  const all = layout.published[split];
  if (samples.length === 0) {
    problems.addPlace('no samples', `no ${noun}s: none is called ${layout.sampleNames}`);
  } else if (samples.length < all) {
    const count = samples.length.toLocaleString('en-US');
    warnings.push(`subset of ${layout.title}: ${count} of ${formatCount(all, noun)}.`);
  } else if (samples.length > all) {
    const many = formatCount(samples.length, noun);
    warnings.push(`${many}: more than ${layout.title}'s ${all.toLocaleString('en-US')}.`);
  }
  const present = new Set(samples.map((sample) => sample.class));
  const absent = layout.classes.filter((_, i) => !present.has(i));
  if (samples.length > 0 && absent.length > 0) warnings.push(`no ${noun} of ${absent.join(', ')}.`);
  return warnings;
}

/** Otherwise a sample under another name would be missed silently. */
function describeIgnored({ sampleNames }: SampleLayout, files: readonly ManifestFile[]): string[] {
  const names = files.filter(({ status }) => status === 'unlisted').map((file) => file.path);
  if (names.length === 0) return [];
  const many = names.length === 1 ? 'file is not a sample' : 'files are not samples';
  return [`${names.length} ${many} (${sampleNames}) and not used: ${listSome(names)}.`];
}

function foldWarnings(warnings: readonly string[]): string[] {
  if (warnings.length <= MOST_WARNINGS) return [...warnings];
  return [
    ...warnings.slice(0, MOST_WARNINGS),
    `and ${warnings.length - MOST_WARNINGS} more sample warnings.`,
  ];
}
