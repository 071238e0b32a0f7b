import type { Split } from '../dataset.ts';
import { rootOption, showPath } from '../show-path.ts';

/** The two archives as published. */
export const ARCHIVES: Readonly<Record<Split, { readonly name: string; readonly md5: string }>> = {
  train: { name: 'Train.zip', md5: '20959b8e626244a1b502305a9e6e2031' },
  test: { name: 'Test.zip', md5: '69ca8762b2fe404d9b9bad1103e97832' },
};

/** `dataset.root` of profile nmnist. */
export const USUAL_ROOT = 'data/N-MNIST';

/** What each archive unpacks to. */
export const FOLDERS: Readonly<Record<Split, string>> = { train: 'Train', test: 'Test' };

/** Samples per split. */
export const SAMPLES: Readonly<Record<Split, number>> = { train: 60_000, test: 10_000 };

export const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** A sample has 5 bytes per event and a few thousand events; a larger file is not a sample. */
export const LARGEST_SAMPLE_BYTES = 16 << 20;

/** `Train/7/00042.bin` -> split and digit; null for any other name. */
export function parseSampleName(name: string): { readonly split: Split; readonly digit: number } | null {
  const match = /^(Train|Test)\/(\d)\/\d+\.bin$/.exec(name);
  return match === null ? null : { split: match[1] === 'Train' ? 'train' : 'test', digit: Number(match[2]) };
}

/** The full instructions for getting the samples and putting them at `root`. */
export function howToGetNmnist(root: string): string {
  return [
    'N-MNIST is free under CC BY-SA 4.0. Download it by hand:',
    '  1. Open https://www.garrickorchard.com/datasets/n-mnist and follow its link to the data.',
    `  2. Download ${ARCHIVES.train.name} (md5 ${ARCHIVES.train.md5})`,
    `     and ${ARCHIVES.test.name} (md5 ${ARCHIVES.test.md5}).`,
    `  3. Put both zips into ${showPath(root)}, or unpack them there to Train/ and Test/. Part of the samples is enough:`,
    '     Train/<digit>/<number>.bin and Test/<digit>/<number>.bin. For another folder: --set dataset.root=DIR.',
    '  4. Run again (with the same --profile and other --set options as before):',
    `     npm run reproduce -- --profile nmnist${rootOption(root, USUAL_ROOT)}`,
  ].join('\n');
}
