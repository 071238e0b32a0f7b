import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import {
  type DatasetFacts,
  type GestureFacts,
  type ImageFacts,
  type SampleFacts,
  toFacts,
} from '../../src/results/dataset-facts.ts';

/** The folder with the file of each data set. */
export const DATASETS = path.resolve(import.meta.dirname, '../../configs/datasets');

export const ALL_FACTS: readonly DatasetFacts[] = readdirSync(DATASETS).map((file) =>
  toFacts(path.basename(file, '.yaml'), parse(readFileSync(path.join(DATASETS, file), 'utf8'))),
);

function factsOf<Facts extends DatasetFacts>(name: string): Facts {
  return ALL_FACTS.find((facts) => facts.name === name) as Facts;
}

export const GESTURES = factsOf<GestureFacts>('dvs128-gesture');
export const NMNIST = factsOf<SampleFacts>('nmnist');
export const CIFAR10_DVS = factsOf<SampleFacts>('cifar10-dvs');
export const ASL_DVS = factsOf<SampleFacts>('asl-dvs');
export const TWO_SCALES = factsOf<SampleFacts>('two-scales');
export const ALONE = factsOf<SampleFacts>('two-scales-alone');
export const ARABIC_DIGITS = factsOf<SampleFacts>('arabic-digits');
export const SPOKEN_DIGITS = factsOf<SampleFacts>('spoken-digits');
export const FREE_SPOKEN_DIGITS = factsOf<SampleFacts>('free-spoken-digits');
export const SPEECH_COMMANDS = factsOf<SampleFacts>('speech-commands');
export const MNIST = factsOf<ImageFacts>('mnist');
export const CIFAR10 = factsOf<ImageFacts>('cifar10');

/** The facts as if each of its files had this checksum. */
export function withChecksum<Facts extends DatasetFacts>(facts: Facts, md5: string): Facts {
  return { ...facts, files: facts.files.map((file) => ({ ...file, md5 })) };
}
