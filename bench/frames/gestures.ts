import path from 'node:path';
import { type GestureFacts, readDatasetFacts } from '../../src/results/dataset-facts.ts';

const file = path.resolve('configs/datasets/dvs128-gesture.yaml');

export const GESTURES = (await readDatasetFacts(file)) as GestureFacts;
