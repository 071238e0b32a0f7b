import { createHash } from 'node:crypto';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { decodeCifarBatch } from '../../images/cifar-binary.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import { formatBytes } from '../../text.ts';
import type { Images, PublishedFile, ReadOptions, Split } from '../dataset.ts';
import { hashFile } from '../file-hash.ts';
import { type FileTree, FolderTree, kindOfPath, readWhole } from '../file-tree.ts';

import { RELATIVE_ROOT } from '../show-path.ts';
import { TarTree } from '../tar-tree.ts';
import { describeImages, type ImageSetFacts, refuseSimulatedImages } from './verify-images.ts';

/** In the order of the labels, as in `batches.meta.txt`. */
export const CIFAR10_CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

/** What the archive unpacks to. */
const FOLDER = 'cifar-10-batches-bin';

/** The batches of each split, in the order in which their images count. */
const BATCHES: Readonly<Record<Split, readonly string[]>> = {
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ['test_batch.bin'],
};

/** A batch as published: 10,000 records of a label and 3 x 32 x 32 bytes. */
const BATCH_BYTES = 10_000 * 3073;

/** How far a published batch could grow and still be read. */
const LARGEST_BATCH_BYTES = 10 * BATCH_BYTES;

export interface Cifar10Facts extends ImageSetFacts {
  readonly files: readonly PublishedFile[];
  howToGet(root: string): string;
}

interface Place {
  /** The archive's full path; null for a folder. */
  readonly archive: string | null;
  /** Names relative to the batches' folder. */
  readonly tree: FileTree;
}

/** @throws {ReproError} `data-missing` with how to get the data; `data-kind`; `data-corrupt` or `archive-…` naming the file */
export async function verifyCifar10(
  facts: Cifar10Facts,
  root: string,
  options: ReadOptions,
): Promise<Manifest> {
  if (options.simulated) refuseSimulatedImages(facts);
  const place = await locate(facts, root);
  const files: ManifestFile[] = [];
  // The publisher gives no checksums of the batches.
  const warnings =
    place.archive === null
      ? ['unpacked batches: their structure was checked; the publisher gives no checksums of their contents.']
      : [];
  if (place.archive !== null) {
    const hash = await hashFile(place.archive, options.signal);
    const name = path.basename(place.archive);
    files.push({ path: name, ...hash, status: 'archive' });
    const published = facts.files[0]?.checksum.hex;
    if (hash.md5 !== published) {
      throw new ReproError('data-corrupt', `md5 ${hash.md5} is not ${published}.`, {
        where: `${name} (${formatBytes(hash.sizeBytes)})`,
        fix: `This is not the published archive: download it again.\n${facts.howToGet(root)}`,
      });
    }
  }
  const images = await readBatches(facts, place, root, options, (file) => files.push(file));
  return describeImages(facts, images, { archive: place.archive !== null, files, warnings });
}

export async function readCifar10(
  facts: Cifar10Facts,
  root: string,
  options: ReadOptions,
): Promise<Record<Split, Images>> {
  return readBatches(facts, await locate(facts, root), root, options, () => {});
}

async function readBatches(
  facts: Cifar10Facts,
  { tree }: Place,
  root: string,
  options: ReadOptions,
  found: (file: ManifestFile) => void,
): Promise<Record<Split, Images>> {
  const names = [...BATCHES.train, ...BATCHES.test];
  const batches = new Map<string, Images>();
  await tree.walk(async (file) => {
    if (!names.includes(file.path)) return;
    const bytes = await readWhole(file, LARGEST_BATCH_BYTES);
    const md5 = createHash('md5').update(bytes).digest('hex');
    found({ path: `${FOLDER}/${file.path}`, sizeBytes: bytes.length, md5, status: 'ok' });
    batches.set(file.path, decodeCifarBatch(bytes, file.path));
    options.progress?.(batches.size, names.length);
  }, options.signal);
  const missing = names.filter((name) => !batches.has(name));
  if (missing.length > 0) failMissing(facts, root, `lacks ${missing.join(', ')}`);
  const join = (split: Split): Images => {
    const parts = BATCHES[split].map((name) => batches.get(name)!);
    return {
      pixels: Buffer.concat(parts.map(({ pixels }) => pixels)),
      labels: Buffer.concat(parts.map(({ labels }) => labels)),
    };
  };
  return { train: join('train'), test: join('test') };
}

/** The archive itself, a folder that contains it, or the unpacked folder or the one above; an unpacked folder is preferred. */
async function locate(facts: Cifar10Facts, root: string): Promise<Place> {
  const kind = await kindOfPath(root);
  if (kind === null) failMissing(facts, root, 'does not exist');
  if (kind === 'file') return archivePlace(root);
  for (const folder of [root, path.join(root, FOLDER)]) {
    if ((await kindOfPath(path.join(folder, BATCHES.train[0]!))) === 'file') {
      return { archive: null, tree: new FolderTree(folder, 1) };
    }
  }
  const [published] = facts.files;
  const archive = path.join(root, published?.name ?? '');
  if ((await kindOfPath(archive)) === 'file') return archivePlace(archive);
  return failMissing(facts, root, `contains neither ${published?.name} nor ${FOLDER}/`);
}

function archivePlace(archive: string): Place {
  const tar = new TarTree(archive, path.basename(archive));
  const tree: FileTree = {
    walk: (visit, signal) =>
      tar.walk(async (file) => {
        const [folder, name, ...rest] = file.path.split('/');
        if (folder === FOLDER && name !== undefined && rest.length === 0)
          await visit({ ...file, path: name });
      }, signal),
  };
  return { archive, tree };
}

function failMissing({ title, howToGet }: Cifar10Facts, root: string, what: string): never {
  throw new ReproError('data-missing', `the ${title} files were not found: ${path.resolve(root)} ${what}.`, {
    where: 'dataset.root',
    fix: `${RELATIVE_ROOT}.\n${howToGet(root)}`,
  });
}
