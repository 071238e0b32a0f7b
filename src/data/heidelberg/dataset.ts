import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReproError } from '../../base/errors.ts';
import { formatBytes } from '../../base/text.ts';
import type { HeidelbergFacts } from '../../results/dataset-facts.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { type Clip, type Clips, type ReadClip, SPLITS, type Split } from '../contract/clips.ts';
import type { EventDataset, ReadOptions } from '../contract/dataset.ts';
import { checkKind, failMissing, howToGet, showPath } from '../contract/how-to-get.ts';
import { describeProblem, makeManifest, Problems } from '../contract/problems.ts';
import { spanOf } from '../events/clips.ts';
import { clipOfEvents } from '../events/frames.ts';
import { hashFile, kindOfSource } from '../reading/file-tree.ts';
import { ZipTree } from '../reading/zip-tree.ts';
import { ClipFile } from './clip-file.ts';

/** One of a data set's HDF5 files. */
interface Part {
  /** `shd_train.h5` */
  readonly name: string;
  readonly split: Split;
  /** Of the file, or of the zip with it. */
  readonly path: string;
  readonly isZipped: boolean;
}

/** Spiking Heidelberg Digits, and what is published in the same layout: the spikes of many clips in each of a few files. */
export function datasetOfHeidelberg(facts: HeidelbergFacts): EventDataset {
  return {
    kind: 'events',
    facts,
    recordingsNoun: 'files',
    isSimulated: async () => facts.simulated === true,
    verify: (root, options) => verifyFiles(facts, root, options),
    listClips: (root) => listClips(facts, root),
    readsWhole: async (root) => (await locateParts(facts, root)).some(({ isZipped }) => isZipped),
    readClips: (root, clips, options, visit) => readClips(facts, root, { clips, options, visit }),
  };
}

/** @throws {ReproError} `data-missing` if a file is there neither unpacked nor in its zip */
async function locateParts(facts: HeidelbergFacts, root: string): Promise<Part[]> {
  if ((await kindOfSource(root)) !== 'folder') failMissing(facts, 'files', root, 'is not a folder');
  const parts: Part[] = [];
  for (const { name: archive } of facts.files) {
    const name = archive.replace(/\.zip$/, '');
    const split = /_test\./.test(name) ? 'test' : 'train';
    const [unpacked, packed] = [path.join(root, name), path.join(root, archive)];
    const isUnpacked = (await kindOfSource(unpacked)) === 'file';
    if (!isUnpacked && (await kindOfSource(packed)) !== 'file')
      failMissing(facts, 'files', root, `contains neither ${name} nor ${archive}`);
    parts.push({ name, split, path: isUnpacked ? unpacked : packed, isZipped: !isUnpacked });
  }
  return parts;
}

/** Opens a file; one in a zip is unpacked into the system's folder for temporary files meanwhile. */
async function withFile<T>(
  facts: HeidelbergFacts,
  part: Part,
  use: (file: ClipFile) => Promise<T>,
): Promise<T> {
  const folder = part.isZipped ? await mkdtemp(path.join(tmpdir(), 'plif-repro-')) : undefined;
  try {
    const place = folder === undefined ? part.path : path.join(folder, part.name);
    if (folder !== undefined) await unpack(part, place);
    const { classes, unitsPerPixel, sensor } = facts;
    const file = await ClipFile.open(place, part.name, { classes: classes.length, unitsPerPixel, sensor });
    try {
      return await use(file);
    } finally {
      file.close();
    }
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** @throws {ReproError} `archive-broken` or `data-corrupt` if the zip is damaged, or has no such file */
async function unpack(part: Part, target: string): Promise<void> {
  let isFound = false;
  await new ZipTree(part.path, path.basename(part.path)).walk(async (file) => {
    if (path.posix.basename(file.path) !== part.name || isFound) return;
    isFound = true;
    await pipeline(Readable.from(file.open()), createWriteStream(target));
  });
  if (isFound) return;
  throw new ReproError('data-corrupt', `it has no ${part.name}.`, {
    where: showPath(part.path),
    fix: 'Download it again.',
  });
}

/** Reads every clip; zips are also compared with the published md5. */
async function verifyFiles(
  facts: HeidelbergFacts,
  root: string,
  { simulated, signal, log, progress }: ReadOptions,
): Promise<Manifest> {
  checkKind(facts, 'samples', simulated);
  const parts = await locateParts(facts, root);
  const problems = new Problems();
  const files: ManifestFile[] = [];
  const labels: Record<Split, number[]> = { train: [], test: [] };
  const users: number[] = [];
  for (const [i, part] of parts.entries()) {
    signal?.throwIfAborted();
    const hash = await hashFile(part.path, signal);
    files.push({ path: path.basename(part.path), ...hash, status: part.isZipped ? 'archive' : 'ok' });
    const published = facts.files[i]!.md5;
    if (part.isZipped && hash.md5 !== published) {
      const what = `md5 ${hash.md5} is not ${published}`;
      problems.addPlace(
        'archives are not the published ones',
        `${path.basename(part.path)} (${formatBytes(hash.sizeBytes)}): ${what}`,
      );
      continue;
    }
    try {
      await withFile(facts, part, async (file) => {
        const clips = file.readLabels();
        await file.eachClip([...clips.keys()], async () => signal?.throwIfAborted());
        labels[part.split].push(...clips.map((clip) => clip.class));
        users.push(...clips.map(({ user }) => user));
      });
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.addPlace('files cannot be read', describeProblem(error));
    }
    progress?.(i + 1, parts.length);
  }
  problems.throwIfAny({
    where: showPath(root),
    what: facts.title,
    fix: `Download these again.\n${howToGet(facts, root)}`,
    log,
  });
  const isUnchecked = parts.some(({ isZipped }) => !isZipped);
  const unchecked = 'unpacked files: the publisher gives checksums of the zips alone.';
  return makeManifest(facts, 'sample', labels, {
    archive: !isUnchecked,
    files,
    warnings: isUnchecked ? [unchecked] : [],
    users,
  });
}

/** `shd_train.h5#00012`: the file, and the clip's number in it. */
function recordingOf(part: Part, clip: number): string {
  return `${part.name}#${String(clip).padStart(5, '0')}`;
}

async function listClips(facts: HeidelbergFacts, root: string): Promise<Clips> {
  const clips: Record<Split, Clip[]> = { train: [], test: [] };
  for (const part of await locateParts(facts, root)) {
    const labels = await withFile(facts, part, async (file) => file.readLabels());
    clips[part.split].push(
      ...labels.map((label, clip) => ({
        ...{
          recording: recordingOf(part, clip),
          ...label,
          light: null,
          trial: null,
          startUs: null,
          endUs: null,
        },
      })),
    );
  }
  return clips;
}

/** Reads the named clips; each lasts from 0 to just after its last event. */
async function readClips(
  facts: HeidelbergFacts,
  root: string,
  {
    clips,
    options: { signal, progress },
    visit,
  }: {
    readonly clips: Clips;
    readonly options: Pick<ReadOptions, 'signal' | 'progress'>;
    readonly visit: (clip: ReadClip) => Promise<void>;
  },
): Promise<void> {
  const wanted = new Map<string, { readonly split: Split; readonly row: number }>();
  for (const split of SPLITS)
    for (const [row, { recording }] of clips[split].entries()) wanted.set(recording, { split, row });
  const parts = await locateParts(facts, root);
  for (const [i, part] of parts.entries()) {
    await withFile(facts, part, async (file) => {
      const own = file.readLabels().flatMap((_, clip) => (wanted.has(recordingOf(part, clip)) ? [clip] : []));
      await file.eachClip(own, async (clip, events) => {
        signal?.throwIfAborted();
        const place = wanted.get(recordingOf(part, clip))!;
        await visit({ ...place, startUs: 0, endUs: spanOf(events).endUs, events: clipOfEvents(events) });
      });
    });
    progress?.(i + 1, parts.length);
  }
}
