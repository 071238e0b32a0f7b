import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Recipe } from '../../../src/report/explorable/recompute.ts';

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
