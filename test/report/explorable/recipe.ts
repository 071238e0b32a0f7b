import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Recipe } from '../../../src/report/explorable/recompute.ts';
import { exampleBaseline, exampleRun } from '../baseline/example.ts';

const root = path.resolve(import.meta.dirname, '../../..');

interface RecipeScript {
  readonly readRecipe: () => Recipe;
}
const { readRecipe }: RecipeScript = await import(path.join(root, 'scripts/recipe.mjs'));

export const plifWasm = () => readFileSync(path.join(root, 'native/wasm/plif.wasm'));

/** What the explorable page has of profile quick-wasm, but with two epochs. */
export function readShortRecipe(): Recipe {
  const { profile, ...others } = readRecipe();
  return { ...others, profile: { ...profile, train: { ...profile.train, epochs: 2 } } };
}

/** Three people and a network of two layers: a second. Its baseline is made up. */
export function readTinyRecipe(): Recipe {
  const quick = readShortRecipe();
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
