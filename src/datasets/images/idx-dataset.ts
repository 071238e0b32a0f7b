import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { readRegular } from '../../files/regular-file.ts';
import { decodeIdx } from '../../formats/idx.ts';
import type { ManifestFile } from '../../results/manifest.ts';
import { formatBytes, formatCount } from '../../text.ts';
import {
  type DatasetFacts,
  type ImageDataset,
  type Images,
  SPLITS,
  type Split,
} from '../contract/dataset.ts';
import { failMissing, howToFetch, refuseSimulated } from '../contract/how-to-get.ts';
import { kindOfPath, md5Of } from '../reading/file-tree.ts';
import { describeImages } from './describe-images.ts';

/** 28 x 28 grey images in four IDX files: MNIST, and data sets in its format. */
export function datasetOfIdxFiles(
  facts: Omit<DatasetFacts, 'files' | 'recordingsNoun' | 'howToGet' | 'verify'> &
    Pick<ImageDataset, 'image' | 'preparation'> & {
      readonly idx: readonly IdxFile[];
      /** Addresses of the folders with the files, each ending in `/`. */
      readonly mirrors: readonly string[];
    },
): ImageDataset {
  const { idx, mirrors, ...rest } = facts;
  const files = idx.map(({ name, gzMd5, gzBytes }) => ({
    name: `${name}.gz`,
    checksum: { kind: 'md5' as const, hex: gzMd5 },
    sizeBytes: gzBytes,
    urls: mirrors.map((mirror) => `${mirror}${name}.gz`),
  }));
  const howToGet = (root: string) => howToFetch({ ...rest, files }, root);
  const reader = { title: facts.title, classes: facts.classes, image: facts.image, files: idx, howToGet };
  return {
    ...rest,
    kind: 'images',
    files,
    recordingsNoun: 'files',
    howToGet,
    async verify(root, options) {
      if (options.simulated) refuseSimulated(rest, 'images');
      const { images, ...found } = await readIdxFiles(reader, root, options.progress);
      return describeImages(rest, images, { ...found, archive: false, warnings: [] });
    },
    async readImages(root, options) {
      return (await readIdxFiles(reader, root, options.progress)).images;
    },
  };
}

/** One of the four files of an IDX data set, gzipped as published, or unpacked. */
interface IdxFile {
  /** Without `.gz`. */
  readonly name: string;
  readonly split: Split;
  readonly holds: 'images' | 'labels';
  /** Of `<name>.gz` as published. */
  readonly gzMd5: string;
  readonly gzBytes: number;
  /** Of the unpacked file. */
  readonly md5: string;
}

interface IdxFacts {
  readonly title: string;
  readonly classes: readonly string[];
  readonly image: { readonly height: number; readonly width: number };
  readonly files: readonly IdxFile[];
  howToGet(root: string): string;
}

/** A file as found: what `decodeIdx` takes, and its entry in the manifest. */
interface FoundIdx {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
  readonly manifest: ManifestFile;
}

interface ReadIdx {
  readonly images: Readonly<Record<Split, Images>>;
  readonly files: readonly ManifestFile[];
}

/** Ten times as many as in MNIST: a file that claims more is something else. */
const MOST_IMAGES = 600_000;
/** Of an IDX file with images. */
const HEADER_BYTES = 16;

/**
 * Reads the images and labels of both splits. Only the contents count: a file that someone packed again is accepted if its contents
 * are the published ones.
 *
 * @throws {ReproError} `data-missing` with how to get the data; `data-corrupt` naming the file, also for other contents than the
 *   published; as `decodeIdx'
 */
async function readIdxFiles(
  facts: IdxFacts,
  root: string,
  onFile: (done: number, total: number) => void = () => {},
): Promise<ReadIdx> {
  const kind = await kindOfPath(root);
  if (kind === null) failMissing(facts, 'files', root, 'does not exist');
  if (kind === 'file') failMissing(facts, 'files', root, 'is a file, not the folder with the four files');
  const found = new Map<IdxFile, FoundIdx>();
  const missing: string[] = [];
  for (const file of facts.files) {
    const here = await findFile(root, file.name);
    if (here === null) missing.push(`${file.name}.gz`);
    else found.set(file, await readIdxFile(facts, root, here, file));
    onFile(found.size, facts.files.length);
  }
  if (missing.length > 0) failMissing(facts, 'files', root, `lacks ${missing.join(', ')}`);
  const pick = (split: Split, holds: IdxFile['holds']): FoundIdx => {
    return found.get(facts.files.find((one) => one.split === split && one.holds === holds)!)!;
  };
  const images = (split: Split) => joinSplit(facts, pick(split, 'images'), pick(split, 'labels'));
  return {
    images: { train: images('train'), test: images('test') },
    files: [...found.values()].map(({ manifest }) => manifest),
  };
}

/** The file's name as found: gzipped or not; torchvision puts them into `raw/`. */
async function findFile(root: string, name: string): Promise<string | null> {
  for (const candidate of [`${name}.gz`, name, `raw/${name}.gz`, `raw/${name}`]) {
    if ((await kindOfPath(path.join(root, candidate))) === 'file') return candidate;
  }
  return null;
}

async function readIdxFile(
  { title, image }: IdxFacts,
  root: string,
  name: string,
  facts: IdxFile,
): Promise<FoundIdx> {
  const full = path.join(root, name);
  const { size } = await stat(full);
  const itemBytes = facts.holds === 'images' ? image.height * image.width : 1;
  const limitBytes = HEADER_BYTES + MOST_IMAGES * itemBytes;
  // A packed file is at most a few bytes larger than its contents.
  if (size > limitBytes) {
    throw new ReproError(
      'data-corrupt',
      `${formatBytes(size)} are too many: ${title} has ${facts.holds} of less than ${formatBytes(limitBytes)}.`,
      { where: name, fix: 'Download it again.' },
    );
  }
  const bytes = await readRegular(full);
  const md5 = md5Of(bytes);
  const { shape, data } = decodeIdx(bytes, name, limitBytes);
  const published = name.endsWith('.gz') ? facts.gzMd5 : facts.md5;
  if (md5 !== published && md5OfContents(shape, data) !== facts.md5) {
    const found = `md5 ${md5} is not ${published}, and the contents are not the published ones either`;
    throw new ReproError('data-corrupt', `${found} (shape [${shape.join(', ')}]).`, {
      where: name,
      fix: 'Download it again.',
    });
  }
  return { shape, data, manifest: { path: name, sizeBytes: size, md5, status: 'ok' } };
}

/** md5 of the unpacked file: its header is made of the shape. */
function md5OfContents(shape: readonly number[], data: Uint8Array): string {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  for (const [i, size] of shape.entries()) header.setUint32(4 + 4 * i, size);
  return md5Of(new Uint8Array(header.buffer), data);
}

function joinSplit({ classes, image }: IdxFacts, images: FoundIdx, labels: FoundIdx): Images {
  const fail = (file: FoundIdx, what: string): never => {
    throw new ReproError('data-corrupt', what, {
      where: file.manifest.path,
      fix: 'Download the data set again.',
    });
  };
  const [count, height, width, ...rest] = images.shape;
  if (rest.length > 0 || height !== image.height || width !== image.width) {
    fail(
      images,
      `images of shape [${images.shape.join(', ')}], expected [n, ${image.height}, ${image.width}].`,
    );
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    const [shown, expected] = [labels.shape.join(', '), formatCount(count ?? 0, 'image')];
    fail(labels, `labels of shape [${shown}] for ${expected}.`);
  }
  const wrong = labels.data.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    fail(labels, `label ${wrong} is ${labels.data[wrong]}, expected 0 to ${classes.length - 1}.`);
  }
  return { pixels: images.data, labels: labels.data };
}

/** In the order in which `readIdxFiles` wants them. */
export function idxFiles(
  sums: Readonly<
    Record<Split, Readonly<Record<IdxFile['holds'], Pick<IdxFile, 'gzMd5' | 'gzBytes' | 'md5'>>>>
  >,
): IdxFile[] {
  const prefix = { train: 'train', test: 't10k' };
  const suffix = { images: 'images-idx3-ubyte', labels: 'labels-idx1-ubyte' };
  return SPLITS.flatMap((split) =>
    (['images', 'labels'] as const).map((holds) => ({
      name: `${prefix[split]}-${suffix[holds]}`,
      split,
      holds,
      ...sums[split][holds],
    })),
  );
}
