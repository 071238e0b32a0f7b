import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Recipe } from '../../../src/report/explorable/recompute.ts';
import { exampleBaseline, exampleRun } from '../baseline/example.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');

export const plifWasm = () => readFileSync(path.join(root, 'native/wasm/plif.wasm'));

/** What the explorable page has of profile quick-wasm, with one model and another number of epochs. */
export function readRecipe(epochs: number): Recipe {
  const profile = parse(read('configs/profiles/quick-wasm.yaml'));
  return {
    profile: { ...profile, models: ['baseline'], train: { ...profile.train, epochs } },
    dataset: { name: 'dvs128-gesture', ...parse(read('configs/datasets/dvs128-gesture.yaml')) },
    models: { baseline: parse(read('configs/models/baseline.yaml')) },
    baseline: JSON.parse(read('configs/baselines/quick-wasm.json')),
  };
}

/** Three people and a network of two layers: a second. Its baseline is made up. */
export function readTinyRecipe(): Recipe {
  const quick = readRecipe(2);
  return {
    ...quick,
    profile: {
      ...quick.profile,
      simulate: { seed: 1, trainUsers: 2, testUsers: 1, lights: ['led'], gestureSeconds: 0.3 },
      frames: { ...quick.profile.frames, steps: 4, downsample: 8 },
      train: {
        ...quick.profile.train,
        ...{ batchSize: 4, validationShare: 0.5, network: { channels: 4, layers: 1, hidden: 16 } },
      },
    },
    baseline: exampleBaseline({ runs: [exampleRun({ model: 'baseline', seed: 2020 })] }),
  };
}
