import { NMNIST_SENSOR } from '../events/nmnist.ts';
import type { Dataset } from './dataset.ts';
import { listNmnistClips, readNmnistClips } from './nmnist/clips.ts';
import { CLASSES, howToGetNmnist } from './nmnist/facts.ts';
import { verifyNmnist } from './nmnist/verify.ts';

/** MNIST's digits, shown on a screen to an event camera that moved in three saccades. */
export const NMNIST: Dataset = {
  name: 'nmnist',
  title: 'N-MNIST',
  classes: CLASSES,
  sensor: NMNIST_SENSOR,
  licence: { name: 'CC BY-SA 4.0', url: 'https://creativecommons.org/licenses/by-sa/4.0/' },
  reference:
    'Orchard et al., Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades, 2015',
  recordingsNoun: 'samples',
  howToGet: howToGetNmnist,
  verify: verifyNmnist,
  listClips: listNmnistClips,
  readClips: readNmnistClips,
};
