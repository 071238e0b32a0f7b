import { NMNIST_SENSOR } from '../events/nmnist.ts';
import type { Dataset } from './dataset.ts';
import { listNmnistClips, readNmnistClips } from './nmnist/clips.ts';
import { CLASSES } from './nmnist/facts.ts';
import { verifyNmnist } from './nmnist/verify.ts';

/**
 * MNIST's digits, shown on a screen to an event camera that moved in three saccades.
 *
 * @see Orchard et al. 2015, "Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades"
 */
export const NMNIST: Dataset = {
  name: 'nmnist',
  title: 'N-MNIST',
  classes: CLASSES,
  sensor: NMNIST_SENSOR,
  recordingsNoun: 'samples',
  verify: verifyNmnist,
  listClips: listNmnistClips,
  readClips: readNmnistClips,
};
