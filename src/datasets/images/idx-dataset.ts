import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { readRegular } from '../../files/regular-file.ts';
import { decodeIdx } from '../../formats/idx.ts';
import type { ManifestFile } from '../../results/manifest.ts';
import { formatBytes } from '../../text.ts';
import type { DatasetFacts, ImageDataset, Images, Split } from '../contract/dataset.ts';
import { failMissing, howToFetch, refuseSimulated } from '../contract/how-to-get.ts';
import { kindOfPath, md5Of } from '../reading/file-tree.ts';
import { describeImages } from './describe-images.ts';

/** One of the four files: size and md5 of it gzipped as published, and the md5 of it unpacked. */
type IdxFile = readonly [
  split: Split,
  holds: 'images' | 'labels',
  gzBytes: number,
  gzMd5: string,
  md5: string,
];

type IdxFacts = Omit<DatasetFacts, 'files' | 'recordingsNoun' | 'howToGet' | 'verify'> &
  Pick<ImageDataset, 'image' | 'preparation'> & {
    readonly idx: readonly IdxFile[];
    /** Addresses of the folders with the files, each ending in `/`. */
    readonly mirrors: readonly string[];
  };

interface ReadIdx {
  readonly images: Readonly<Record<Split, Images>>;
  readonly files: readonly ManifestFile[];
}

/** Ten times as many as in MNIST: a file that claims more is something else. */
const MOST_IMAGES = 600_000;
/** Of an IDX file with images. */
const HEADER_BYTES = 16;

/** 28 x 28 grey images in four IDX files: MNIST, and data sets in its format. */
export function datasetOfIdxFiles(facts: IdxFacts): ImageDataset {
  const { idx, mirrors, ...rest } = facts;
  const files = idx.map(([split, holds, sizeBytes, hex]) => {
    const name = `${nameOf(split, holds)}.gz`;
    const urls = mirrors.map((mirror) => mirror + name);
    return { name, checksum: { kind: 'md5' as const, hex }, sizeBytes, urls };
  });
  const howToGet = (root: string) => howToFetch({ ...rest, files }, root);
  const read = (root: string, progress?: (done: number, total: number) => void) =>
    readIdxFiles({ ...facts, howToGet }, root, progress);
  return {
    ...rest,
    kind: 'images',
    files,
    recordingsNoun: 'files',
    howToGet,
    async verify(root, options) {
      if (options.simulated) refuseSimulated(rest, 'images');
      const { images, ...found } = await read(root, options.progress);
      return describeImages(rest, images, { ...found, archive: false, warnings: [] });
    },
    readImages: async (root, options) => (await read(root, options.progress)).images,
  };
}

function nameOf(split: Split, holds: 'images' | 'labels'): string {
  return `${split === 'train' ? 'train' : 't10k'}-${holds === 'images' ? 'images-idx3' : 'labels-idx1'}-ubyte`;
}

/**
 * Reads the images and labels of both splits. Only the contents count: a file that someone packed again is accepted if its contents
 * are the published ones.
 *
 * @throws {ReproError} `data-missing` with how to get the data; `data-corrupt` naming the file, also for other contents than the
 *   published; as `decodeIdx'
 */
async function readIdxFiles(
  facts: IdxFacts & Pick<DatasetFacts, 'howToGet'>,
  root: string,
  onFile: (done: number, total: number) => void = () => {},
): Promise<ReadIdx> {
  const kind = await kindOfPath(root);
  if (kind === null) failMissing(facts, 'files', root, 'does not exist');
  if (kind === 'file') failMissing(facts, 'files', root, 'is a file, not the folder with the four files');
  const files: ManifestFile[] = [];
  const data = new Map<string, Uint8Array>();
  const missing: string[] = [];
  for (const file of facts.idx) {
    const name = nameOf(file[0], file[1]);
    const here = await findFile(root, name);
    if (here === null) missing.push(`${name}.gz`);
    else {
      const found = await readIdxFile(facts, path.join(root, here), here, file);
      files.push(found.manifest);
      data.set(name, found.data);
    }
    onFile(data.size, facts.idx.length);
  }
  if (missing.length > 0) failMissing(facts, 'files', root, `lacks ${missing.join(', ')}`);
  const images = (split: Split): Images => ({
    pixels: data.get(nameOf(split, 'images'))!,
    labels: data.get(nameOf(split, 'labels'))!,
  });
  return { images: { train: images('train'), test: images('test') }, files };
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
  full: string,
  name: string,
  [, holds, , gzMd5, contentsMd5]: IdxFile,
): Promise<{ readonly data: Uint8Array; readonly manifest: ManifestFile }> {
  const { size } = await stat(full);
  const limitBytes = HEADER_BYTES + MOST_IMAGES * (holds === 'images' ? image.height * image.width : 1);
  const fail = (what: string): never => {
    throw new ReproError('data-corrupt', what, { where: name, fix: 'Download it again.' });
  };
  // A packed file is at most a few bytes larger than its contents.
  if (size > limitBytes) {
    fail(`${formatBytes(size)} are too many: ${title} has ${holds} of less than ${formatBytes(limitBytes)}.`);
  }
  const bytes = await readRegular(full);
  const md5 = md5Of(bytes);
  const { shape, data, unpacked } = decodeIdx(bytes, name, limitBytes);
  const published = name.endsWith('.gz') ? gzMd5 : contentsMd5;
  if (md5 !== published && md5Of(unpacked) !== contentsMd5) {
    const found = `md5 ${md5} is not ${published}, and the contents are not the published ones either`;
    fail(`${found} (shape [${shape.join(', ')}]).`);
  }
  return { data, manifest: { path: name, sizeBytes: size, md5, status: 'ok' } };
}
