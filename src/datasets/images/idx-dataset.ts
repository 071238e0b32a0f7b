import type { DatasetFacts, ImageDataset } from '../dataset.ts';
import { howToFetch } from '../how-to-get.ts';
import { type IdxFile, readIdxFiles } from './idx-files.ts';
import { describeImages, refuseSimulatedImages } from './verify-images.ts';

/** 28 x 28 grey images in four IDX files: MNIST and what was made in its likeness. */
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
      if (options.simulated) refuseSimulatedImages(rest);
      const { images, ...found } = await readIdxFiles(reader, root, options.progress);
      return describeImages(rest, images, { ...found, archive: false, warnings: [] });
    },
    async readImages(root, options) {
      return (await readIdxFiles(reader, root, options.progress)).images;
    },
  };
}
