import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../base/errors.ts';
import { readRegular } from '../base/files/regular-file.ts';
import { formatBytes } from '../base/text.ts';
import { decodeIdx } from '../formats/idx.ts';
import type { ManifestFile } from '../results/manifest.ts';
import { DATA_SETS } from '../results/thesis/data-sets.ts';
import {
  type DatasetFacts,
  type ImageDataset,
  type Images,
  publishedFile,
  type Split,
} from './contract/dataset.ts';
import { checkKind, failMissing, howToFetch } from './contract/how-to-get.ts';
import { makeManifest } from './contract/problems.ts';
import { kindOfSource, md5Of } from './reading/file-tree.ts';

/**
 * Handwritten digits.
 *
 * @see LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition"
 */
export const MNIST = datasetOfIdxFiles({
  ...DATA_SETS.mnist,
  usualRoot: 'data/MNIST',
  summary: 'Handwritten digits, grey, 28 x 28 pixels.',
  licence: 'CC BY-SA 3.0',
  citation:
    'LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, Proceedings of the IEEE 86(11), 1998.',
  homepage: 'https://yann.lecun.org/exdb/mnist/',
  remarks: [],
  preparation: { mean: [0.1307], std: [0.3081], augmentation: 'random-affine' },
  // The original page refuses downloads; these hold the same bytes.
  mirrors: [
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
  ],
  idx: [
    ['train', 'images', 9_912_422, 'f68b3c2dcbeaaa9fbdd348bbdeb94873', '6bbc9ace898e44ae57da46a324031adb'],
    ['train', 'labels', 28_881, 'd53e105ee54ea40749a09fcbcd1e9432', 'a25bea736e30d166cdddb491f175f624'],
    ['test', 'images', 1_648_877, '9fb629c4189551a2d022fa330f9573f3', '2646ac647ad5339dbf082846283269ea'],
    ['test', 'labels', 4_542, 'ec29112dd5afa0611ce80d1b7f02629c', '27ae3e4e09519cfbb04c329615203637'],
  ],
});

/**
 * Pictures of clothes, in MNIST's format.
 *
 * @see Xiao et al. 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", arXiv 1708.07747
 */
export const FASHION_MNIST = datasetOfIdxFiles({
  ...DATA_SETS['fashion-mnist'],
  usualRoot: 'data/FashionMNIST',
  summary: "Pictures of clothes, grey, 28 x 28 pixels, in MNIST's format.",
  licence: 'MIT',
  citation:
    'Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, arXiv 1708.07747, 2017.',
  homepage: 'https://github.com/zalandoresearch/fashion-mnist',
  remarks: [
    "Debian's package dataset-fashion-mnist installs the same images, packed again: --root /usr/share/datasets/fashion-mnist.",
  ],
  preparation: { mean: [0.286], std: [0.353], augmentation: 'none' },
  mirrors: [
    'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
  idx: [
    ['train', 'images', 26_421_880, '8d4fb7e6c68d591d4c3dfef9ec88bf0d', 'f4a8712d7a061bf5bd6d2ca38dc4d50a'],
    ['train', 'labels', 29_515, '25c81989df183df01b3e8a0aad5dffbe', '9018921c3c673c538a1fc5bad174d6f9'],
    ['test', 'images', 4_422_102, 'bef4ecab320f06d8554ea6380940ec79', '8181f5470baa50b63fa0f6fddb340f0a'],
    ['test', 'labels', 5_148, 'bb300cfdad3c16e7a12a480ee83cd310', '15d484375f8d13e6eb1aabb0c3f46965'],
  ],
});

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
    return publishedFile(name, hex, urls, sizeBytes);
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
      checkKind(rest, 'images', options.simulated);
      const { images, ...found } = await read(root, options.progress);
      const labels = { train: images.train.labels, test: images.test.labels };
      return makeManifest(rest, 'image', labels, { ...found, archive: false, warnings: [] });
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
  const kind = await kindOfSource(root);
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
    if ((await kindOfSource(path.join(root, candidate))) === 'file') return candidate;
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
    fail(
      `${formatBytes(size)} are too many: ${holds} of ${title} have less than ${formatBytes(limitBytes)}.`,
    );
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
