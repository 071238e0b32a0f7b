import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import {
  type DatasetFacts,
  type GestureFacts,
  type HeidelbergFacts,
  type ImageFacts,
  type SampleFacts,
  toFacts,
} from '../../src/results/dataset-facts.ts';

/** The folder with the file of each data set. */
export const DATASETS = path.resolve(import.meta.dirname, '../../configs/datasets');

/** Those of the original and of the positive control, each with a profile; of spoken words, without one; and a part of one. */
export const WITH_PROFILE = [
  'dvs128-gesture',
  'nmnist',
  'cifar10-dvs',
  'asl-dvs',
  'mnist',
  'fashion-mnist',
  'cifar10',
  'two-scales',
  'two-scales-alone',
  'shd',
];
export const SPOKEN = [
  'arabic-digits',
  'arabic-speech-commands',
  'arabic-words',
  'arabic-words-5db',
  'arabic-words-causal',
  'free-spoken-digits',
  'speech-commands',
];

/** The project's own data sets: the folder may have more, which someone made by `repro data new`. */
export const ALL_FACTS: readonly DatasetFacts[] = [...WITH_PROFILE, ...SPOKEN, 'spoken-digits', 'ssc'].map(
  (name) => toFacts(name, parse(readFileSync(path.join(DATASETS, `${name}.yaml`), 'utf8'))),
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
export const SHD = factsOf<HeidelbergFacts>('shd');
export const MNIST = factsOf<ImageFacts>('mnist');
export const CIFAR10 = factsOf<ImageFacts>('cifar10');

/** The facts as if each of its files had this checksum. */
export function withChecksum<Facts extends DatasetFacts>(facts: Facts, md5: string): Facts {
  return { ...facts, files: facts.files.map((file) => ({ ...file, md5 })) };
}
