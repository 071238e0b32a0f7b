import { distance } from 'fastest-levenshtein';
import { ReproError } from '../base/errors.ts';
import { ASL_DVS } from './asl-dvs.ts';
import { CIFAR10 } from './cifar10.ts';
import { CIFAR10_DVS } from './cifar10-dvs.ts';
import type { Dataset } from './contract/dataset.ts';
import { DVS128_GESTURE } from './dvs128-gesture/dataset.ts';
import { FASHION_MNIST, MNIST } from './mnist.ts';
import { NMNIST } from './nmnist.ts';
import { TWO_SCALES } from './two-scales.ts';

/** Events first, then still images; the one of the thesis before the others. Last, what exists only as a simulation. */
export const DATASETS: readonly Dataset[] = [
  DVS128_GESTURE,
  NMNIST,
  CIFAR10_DVS,
  ASL_DVS,
  MNIST,
  FASHION_MNIST,
  CIFAR10,
  TWO_SCALES,
];

/** @throws {ReproError} `dataset-unknown`, with the closest name */
export function findDataset(name: string): Dataset {
  const found = DATASETS.find((dataset) => dataset.name === name);
  if (found !== undefined) return found;
  const names = DATASETS.map((dataset) => dataset.name);
  const closest = names.toSorted((a, b) => distance(name, a) - distance(name, b))[0];
  throw new ReproError('dataset-unknown', `there is no data set "${name}".`, {
    where: 'dataset.name',
    fix: `Closest: "${closest}". Known: ${names.join(', ')}.`,
  });
}
