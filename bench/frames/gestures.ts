import path from 'node:path';
import type { GestureFacts } from '../../src/results/dataset-facts.ts';
import { readDatasetFacts } from '../../src/results/dataset-file.ts';

const file = path.resolve('configs/datasets/dvs128-gesture.yaml');

export const GESTURES = (await readDatasetFacts(file)) as GestureFacts;
