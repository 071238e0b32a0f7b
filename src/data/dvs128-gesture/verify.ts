import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { formatBytes } from '../../base/text.ts';
import type { GestureFacts } from '../../results/dataset-facts.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { SPLITS, type Split } from '../contract/clips.ts';
import type { ReadOptions } from '../contract/dataset.ts';
import { howToGet, rootOption, showPath } from '../contract/how-to-get.ts';
import { countClasses, countNames, nameUser, Problems } from '../contract/problems.ts';
import type { Label } from '../events/labels.ts';
import { hashFile } from '../reading/file-tree.ts';
import {
  checkLabelsFile,
  checkRecording,
  checkTrials,
  type FoundFile,
  inspectFiles,
  type Trials,
} from './check.ts';
import { ARCHIVE, FOLDER, labelsNameOf, parseRecordingName, SIMULATED_MARK, TRIAL_LISTS } from './files.ts';
import { locateGestures } from './locate.ts';

/**
 * Checks gesture recordings: real ones against the published facts, simulated ones against themselves. Every file is
 * read to its end.
 *
 * @param facts what real recordings must be, and how all are laid out
 * @throws {ReproError} `data-missing`, `data-kind` (simulated instead of real, or the other way round) or
 *   `data-corrupt` with everything that is missing or wrong
 */
export async function verifyGestures(
  root: string,
  options: ReadOptions,
  facts: GestureFacts,
): Promise<Manifest> {
  const { simulated, log } = options;
  const place = await locateGestures(facts, root);
  const expected = simulated ? null : facts.recordings;
  const names = await place.list();
  if (names !== null) checkKind(facts, new Set(names), simulated, root);
  const archive = place.archive === null ? null : await checkArchive(place.archive, facts, options, root);
  const total = countRecordings(names, facts);
  const onRecording = (done: number) => options.progress?.(done, Math.max(done, total));
  const found = await inspectFiles(place, facts, options, onRecording);
  checkKind(facts, new Set(found.keys()), simulated, root);
  const warnings: string[] = [];
  const problems = new Problems();
  const trials = checkTrials(found, expected, problems);
  const labels = checkFiles(found, trials, facts, { expected, problems, warnings });
  problems.throwIfAny({ where: showPath(root), what: facts.title, fix: remedy(simulated), log });
  return describeGestures({ found, trials, labels, archive, warnings, facts, simulated });
}

/** What the recordings must be; null for simulated ones. */
type Expected = GestureFacts['recordings'] | null;

/** How many recordings there are; of an archive, whose names are not known beforehand, how many there should be. */
function countRecordings(names: readonly string[] | null, { recordings }: GestureFacts): number {
  const all = names ?? Object.values(recordings).flatMap((split) => Object.keys(split));
  return all.filter((name) => parseRecordingName(name) !== null).length;
}

/**
 * The archive's md5, which is also the only checksum of the labels.
 *
 * @throws {ReproError} `data-corrupt` if it is not the published one: it is usually an incomplete download
 */
async function checkArchive(
  archive: string,
  facts: GestureFacts,
  { simulated, signal }: ReadOptions,
  root: string,
): Promise<ManifestFile> {
  const name = path.basename(archive);
  const { aboutBytes = 0, md5: published } = facts.files.find((file) => file.name === ARCHIVE) ?? {};
  const fix = `If it was simulated: --set dataset.standIn=true\n${howToGet(facts, root)}`;
  const refuse = (problem: string) => new ReproError('data-corrupt', problem, { where: name, fix });
  const { size } = await stat(archive);
  // Said at once, as the md5 takes long.
  if (!simulated && size < aboutBytes * 0.95)
    throw refuse(`The download is incomplete: ${formatBytes(size)} of about ${formatBytes(aboutBytes)}.`);
  const { sizeBytes, md5 } = await hashFile(archive, signal);
  if (simulated || md5 === published) return { path: name, sizeBytes, md5, status: 'archive' };
  throw refuse(`md5 ${md5} is not ${published}: the archive is damaged, or not the published one.`);
}

/** Setting `dataset.simulated` alone does not help: `simulate` needs its section in the profile, and makes its own data. */
const OWN_SIMULATED =
  'For simulated recordings use a profile that makes its own, without --set dataset.root: ./repro run --profile quick';

function checkKind(facts: GestureFacts, names: ReadonlySet<string>, simulated: boolean, root: string): void {
  if (names.has(SIMULATED_MARK) === simulated) return;
  const [there, wanted] = simulated ? ['real', 'simulated'] : ['simulated', 'real'];
  const beside = `${simulated ? 'no ' : ''}${SIMULATED_MARK} beside them`;
  const text = `these recordings are ${there} (${beside}), but the profile expects ${wanted} ones.`;
  const fix = simulated
    ? `For real recordings: ./repro run verify --profile ${facts.profile}${rootOption(root, facts.root)}\n${OWN_SIMULATED}`
    : `${OWN_SIMULATED}\nTo let these stand in for real ones, as a rehearsal: --set dataset.standIn=true\nFor real ones point dataset.root at IBM's recordings: --set dataset.root=DIR.\n${howToGet(facts, facts.root)}`;
  throw new ReproError('data-kind', text, { where: showPath(root), fix });
}

function checkFiles(
  found: ReadonlyMap<string, FoundFile>,
  trials: Trials,
  facts: GestureFacts,
  { expected, problems, warnings }: { expected: Expected; problems: Problems; warnings: string[] },
): Map<string, readonly Label[]> {
  const labels = new Map<string, readonly Label[]>();
  for (const split of SPLITS) {
    for (const name of trials[split]) {
      if (labels.has(name)) continue;
      checkRecording(name, found.get(name), expected?.[split][name] ?? null, problems, warnings);
      labels.set(name, checkLabelsFile(name, found, facts, { problems, warnings }));
    }
  }
  for (const name of [...found.keys()].sort(compareCodeUnits)) {
    if (parseRecordingName(name) !== null && !labels.has(name)) {
      warnings.push(`${name}  is in no trial list and is not used.`);
    }
    const md5 = expected === null ? undefined : facts.files.find((file) => file.name === name)?.md5;
    if (md5 !== undefined && md5 !== found.get(name)?.md5) {
      warnings.push(
        `${name}  is not the published file (md5 ${found.get(name)?.md5} is not ${md5}); it is not used.`,
      );
    }
  }
  return labels;
}

function remedy(simulated: boolean): string {
  if (simulated)
    return 'Make them again: `./repro run simulate --force`, or with scripts/simulate-archive.mjs if they stand in for real ones.';
  return [
    'Fix these files, or download or unpack the data set again (docs/data.md says where from); then check them again.',
    'After a run, `./repro logs verify` names every file and its md5.',
    'All recordings are needed, because their lists define the data set. For a smaller run keep them all and let the',
    'profile take the first clips of each class: --set frames.limit.train=20 --set frames.limit.test=5.',
  ].join('\n');
}

function describeGestures(parts: {
  readonly found: ReadonlyMap<string, FoundFile>;
  readonly trials: Trials;
  readonly labels: ReadonlyMap<string, readonly Label[]>;
  readonly archive: ManifestFile | null;
  readonly warnings: readonly string[];
  readonly facts: GestureFacts;
  readonly simulated: boolean;
}): Manifest {
  const { found, trials, labels, archive, facts, simulated } = parts;
  const recordings = [...trials.train, ...trials.test];
  const used = new Set<string>([
    SIMULATED_MARK,
    ...Object.values(TRIAL_LISTS),
    ...recordings.flatMap((name) => [name, labelsNameOf(name)]),
    // Small files that are not the published ones are not used, as their warning says.
    ...facts.files
      .filter(({ name, md5 }) => simulated || found.get(name)?.md5 === md5)
      .map(({ name }) => name),
  ]);
  const clipsOf = (name: string) => labels.get(name) ?? [];
  const clips = recordings.flatMap((name) => {
    const { user, light } = parseRecordingName(name)!;
    return clipsOf(name).map(() => ({ user: nameUser(user), light }));
  });
  const perUser = countNames(clips.map(({ user }) => user));
  const lightsOf = (user: string) => clips.filter((clip) => clip.user === user).map(({ light }) => light);
  const countSplit = (split: Split) => ({
    recordings: trials[split].length,
    clips: trials[split].flatMap(clipsOf).length,
  });
  const files = [...found]
    .sort(([a], [b]) => compareCodeUnits(a, b))
    .map(
      ([name, { sizeBytes, md5 }]): ManifestFile => ({
        path: `${FOLDER}/${name}`,
        sizeBytes,
        md5,
        status: used.has(name) ? 'ok' : 'unlisted',
      }),
    );
  return {
    version: 1,
    dataset: facts.name,
    simulated,
    archive: archive !== null,
    splits: { train: countSplit('train'), test: countSplit('test') },
    perUser,
    perLight: countNames(clips.map(({ light }) => light)),
    perUserLight: Object.fromEntries(
      Object.keys(perUser)
        .sort(compareCodeUnits)
        .map((user) => [user, countNames(lightsOf(user).sort(compareCodeUnits))]),
    ),
    perClass: countClasses(
      facts.classes,
      recordings.flatMap(clipsOf).map((label) => label.class - 1),
    ),
    warnings: parts.warnings,
    files: archive === null ? files : [archive, ...files],
  };
}
