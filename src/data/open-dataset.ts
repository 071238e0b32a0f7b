import { unreachable } from '../base/errors.ts';
import type { DatasetFacts, ImageFacts } from '../results/dataset-facts.ts';
import type { Dataset, EventDataset, ImageDataset } from './contract/dataset.ts';
import { datasetOfGestures } from './dvs128-gesture/dataset.ts';
import { datasetOfHeidelberg } from './heidelberg/dataset.ts';
import { datasetOfCifar10 } from './images/cifar10.ts';
import { datasetOfIdxFiles } from './images/idx-files.ts';
import { datasetOfSamples } from './samples/sample-dataset.ts';

/** What reads a data set, by the layout of its files. @throws {ReproError} `dataset-names` if its file contradicts itself */
export function openDataset(facts: ImageFacts): ImageDataset;
export function openDataset(facts: Exclude<DatasetFacts, ImageFacts>): EventDataset;
export function openDataset(facts: DatasetFacts): Dataset;
export function openDataset(facts: DatasetFacts): Dataset {
  switch (facts.layout) {
    case 'samples':
      return datasetOfSamples(facts);
    case 'dvs128-gesture':
      return datasetOfGestures(facts);
    case 'heidelberg':
      return datasetOfHeidelberg(facts);
    case 'idx':
      return datasetOfIdxFiles(facts);
    case 'cifar10':
      return datasetOfCifar10(facts);
    default:
      return unreachable(facts);
  }
}
