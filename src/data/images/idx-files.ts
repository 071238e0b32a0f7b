import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { formatBytes } from '../../base/text.ts';
import { decodeIdx } from '../../formats/idx.ts';
import type { ImageFacts } from '../../results/dataset-facts.ts';
import type { ManifestFile } from '../../results/manifest.ts';
import { SPLITS, type Split } from '../contract/clips.ts';
import type { ImageDataset, Images } from '../contract/dataset.ts';
import { checkKind, failMissing } from '../contract/how-to-get.ts';
import { makeManifest } from '../contract/problems.ts';
import { kindOfSource, md5Of } from '../reading/file-tree.ts';

interface ReadIdx {
  readonly images: Readonly<Record<Split, Images>>;
  readonly files: readonly ManifestFile[];
}

/** Ten times as many as in MNIST: a file that claims more is something else. */
const MOST_IMAGES = 600_000;
/** Of an IDX file with images. */
const HEADER_BYTES = 16;

/** Grey images in four IDX files, named as MNIST's: MNIST, and data sets in its format. */
export function datasetOfIdxFiles(facts: ImageFacts): ImageDataset {
  return {
    kind: 'images',
    facts,
    recordingsNoun: 'files',
    async verify(root, options) {
      checkKind(facts, 'images', options.simulated);
      const { images, ...found } = await readIdxFiles(facts, root, options.progress);
      const labels = { train: images.train.labels, test: images.test.labels };
      return makeManifest(facts, 'image', labels, { ...found, archive: false, warnings: [] });
    },
    readImages: async (root, options) => (await readIdxFiles(facts, root, options.progress)).images,
  };
}

function nameOf(split: Split, holds: 'images' | 'labels'): string {
  return `${split === 'train' ? 'train' : 't10k'}-${holds === 'images' ? 'images-idx3' : 'labels-idx1'}-ubyte`;
}

const NAMES = SPLITS.flatMap((split) => [nameOf(split, 'images'), nameOf(split, 'labels')]);

/**
 * Reads the images and labels of both splits. Only the contents count: a file that someone packed again is accepted if its contents
 * are the published ones.
 *
 * @throws {ReproError} `data-missing` with how to get the data; `data-corrupt` naming the file, also for other contents than the
 *   published; as `decodeIdx'
 */
async function readIdxFiles(
  facts: ImageFacts,
  root: string,
  onFile: (done: number, total: number) => void = () => {},
): Promise<ReadIdx> {
  const kind = await kindOfSource(root);
  if (kind === null) failMissing(facts, 'files', root, 'does not exist');
  if (kind === 'file') failMissing(facts, 'files', root, 'is a file, not the folder with the four files');
  const files: ManifestFile[] = [];
  const data = new Map<string, Uint8Array>();
  const missing: string[] = [];
  for (const name of NAMES) {
    const here = await findFile(root, name);
    if (here === null) missing.push(`${name}.gz`);
    else {
      const found = await readIdxFile(facts, path.join(root, here), here);
      files.push(found.manifest);
      data.set(name, found.data);
    }
    onFile(data.size, NAMES.length);
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
  { title, classes, image, files }: ImageFacts,
  full: string,
  name: string,
): Promise<{ readonly data: Uint8Array; readonly manifest: ManifestFile }> {
  const { size } = await stat(full);
  const holds = name.includes('images') ? 'images' : 'labels';
  const known = files.find((file) => file.name === `${path.basename(name, '.gz')}.gz`);
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
  const expected = holds === 'images' ? [image.height, image.width] : [];
  if (shape.slice(1).join() !== expected.join()) {
    fail(`its shape is [${shape.join(', ')}], expected [${['N', ...expected].join(', ')}].`);
  }
  const odd = holds === 'images' ? undefined : data.find((label) => label >= classes.length);
  if (odd !== undefined) fail(`it has the label ${odd}, but ${title} has ${classes.length} classes.`);
  const published = name.endsWith('.gz') ? known?.md5 : known?.contentsMd5;
  if (md5 !== published && md5Of(unpacked) !== known?.contentsMd5) {
    const found = `md5 ${md5} is not ${published}, and the contents are not the published ones either`;
    fail(`${found} (shape [${shape.join(', ')}]).`);
  }
  return { data, manifest: { path: name, sizeBytes: size, md5, status: 'ok' } };
}
