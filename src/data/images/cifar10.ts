import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { formatBytes } from '../../base/text.ts';
import type { ImageFacts } from '../../results/dataset-facts.ts';
import type { Manifest, ManifestFile } from '../../results/manifest.ts';
import type { Split } from '../contract/clips.ts';
import type { ImageDataset, Images, ReadOptions } from '../contract/dataset.ts';
import { checkKind, failMissing, howToGet } from '../contract/how-to-get.ts';
import { makeManifest } from '../contract/problems.ts';
import { hashFile, kindOfSource, md5Of, readWhole } from '../reading/file-tree.ts';
import { locatePacked, type PackedPlace } from '../reading/tar-tree.ts';

const ARCHIVE = 'cifar-10-binary.tar.gz';

/** What the archive unpacks to. */
const FOLDER = 'cifar-10-batches-bin';

/** The batches of each split, in the order in which their images count. */
const BATCHES: Readonly<Record<Split, readonly string[]>> = {
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ['test_batch.bin'],
};

const PIXEL_BYTES = 3 * 32 * 32;
const CLASSES = 10;
const RECORD_BYTES = 1 + PIXEL_BYTES;
/** How far a batch, of 10,000 images as published, could grow and still be read. */
const LARGEST_BATCH_BYTES = 100_000 * RECORD_BYTES;

/** Colour images in batches of CIFAR-10's binary version, or in its archive. */
export function datasetOfCifar10(facts: ImageFacts): ImageDataset {
  return {
    kind: 'images',
    facts,
    recordingsNoun: 'files',
    verify: (root, options) => verifyCifar10(facts, root, options),
    readImages: async (root, options) =>
      readBatches(await locate(facts, root), { facts, root, options, found: () => {} }),
  };
}

/** @throws {ReproError} `data-missing` with how to get the data; `data-kind`; `data-corrupt` or `archive-…` naming the file */
async function verifyCifar10(facts: ImageFacts, root: string, options: ReadOptions): Promise<Manifest> {
  checkKind(facts, 'images', options.simulated);
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
    const published = facts.files.find((file) => file.name === ARCHIVE)?.md5;
    if (hash.md5 !== published) {
      throw new ReproError('data-corrupt', `md5 ${hash.md5} is not ${published}.`, {
        where: `${name} (${formatBytes(hash.sizeBytes)})`,
        fix: `This is not the published archive: download it again.\n${howToGet(facts, root)}`,
      });
    }
  }
  const images = await readBatches(place, { facts, root, options, found: (file) => files.push(file) });
  const labels = { train: images.train.labels, test: images.test.labels };
  return makeManifest(facts, 'image', labels, { archive: place.archive !== null, files, warnings });
}

async function readBatches(
  { tree }: PackedPlace,
  {
    facts,
    root,
    options,
    found,
  }: {
    readonly facts: ImageFacts;
    readonly root: string;
    readonly options: ReadOptions;
    readonly found: (file: ManifestFile) => void;
  },
): Promise<Record<Split, Images>> {
  const names = [...BATCHES.train, ...BATCHES.test];
  const batches = new Map<string, Images>();
  await tree.walk(async (file) => {
    if (!names.includes(file.path)) return;
    const bytes = await readWhole(file, LARGEST_BATCH_BYTES);
    found({ path: `${FOLDER}/${file.path}`, sizeBytes: bytes.length, md5: md5Of(bytes), status: 'ok' });
    batches.set(file.path, decodeCifarBatch(bytes, file.path));
    options.progress?.(batches.size, names.length);
  }, options.signal);
  const missing = names.filter((name) => !batches.has(name));
  if (missing.length > 0) failMissing(facts, 'files', root, `lacks ${missing.join(', ')}`);
  const join = (split: Split): Images => {
    const parts = BATCHES[split].map((name) => batches.get(name)!);
    return {
      pixels: Buffer.concat(parts.map(({ pixels }) => pixels)),
      labels: Buffer.concat(parts.map(({ labels }) => labels)),
    };
  };
  return { train: join('train'), test: join('test') };
}

async function locate(facts: ImageFacts, root: string): Promise<PackedPlace> {
  const names = { archive: ARCHIVE, folder: FOLDER };
  const isUnpacked = async (folder: string) =>
    (await kindOfSource(path.join(folder, BATCHES.train[0]!))) === 'file';
  const place = await locatePacked(root, names, isUnpacked);
  if (place !== null) return place;
  const isThere = (await kindOfSource(root)) !== null;
  return failMissing(
    facts,
    'files',
    root,
    isThere ? `contains neither ${ARCHIVE} nor ${FOLDER}/` : 'does not exist',
  );
}

/**
 * Reads a batch of CIFAR-10's binary version: records of 1 byte label (0-9) and 3,072 bytes of pixels: 32 x 32 of red,
 * then green, then blue, row by row.
 *
 * @param file name for messages
 * @returns labels [N] and pixels [N, 3, 32, 32], C order; a published batch has N = 10,000
 * @throws {ReproError} `cifar-size` if the file is empty or its size is not a multiple of 3,073, `cifar-label` for a label beyond 9;
 *   each with file and byte
 * @see https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version"
 */
export function decodeCifarBatch(
  bytes: Uint8Array,
  file: string,
): { readonly labels: Uint8Array; readonly pixels: Uint8Array } {
  const length = Math.floor(bytes.length / RECORD_BYTES);
  const left = bytes.length % RECORD_BYTES;
  if (bytes.length === 0 || left !== 0) {
    const what =
      bytes.length === 0
        ? 'the file is empty'
        : `${bytes.length} bytes are not a whole number of images of ${RECORD_BYTES} bytes: ${left} left over`;
    const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    throw new ReproError('cifar-size', `${what}.`, {
      where: `${file}: byte ${length * RECORD_BYTES}`,
      fix: isCompressed
        ? 'It is gzip-compressed: unpack it first.'
        : "The file is cut off or damaged, or not one of the binary version's data_batch_1.bin to data_batch_5.bin and test_batch.bin: download it again.",
    });
  }
  const labels = new Uint8Array(length);
  const pixels = new Uint8Array(length * PIXEL_BYTES);
  for (let i = 0; i < length; i++) {
    const at = i * RECORD_BYTES;
    const label = bytes[at]!;
    if (label >= CLASSES) {
      const text = `the label of image ${i} is ${label}, beyond ${CLASSES - 1}.`;
      const fix =
        "The file is damaged, or not of CIFAR-10's binary version (CIFAR-100 has two labels): download it again.";
      throw new ReproError('cifar-label', text, { where: `${file}: byte ${at}`, fix });
    }
    labels[i] = label;
    pixels.set(bytes.subarray(at + 1, at + RECORD_BYTES), i * PIXEL_BYTES);
  }
  return { labels, pixels };
}
