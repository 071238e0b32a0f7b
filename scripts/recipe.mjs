import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

/** Its results are what the explorable page can recompute: its digits are the same in every browser. */
const recomputed = 'quick-wasm';

/** A `Recipe` of src/report/explorable/recompute.ts: files as they are, since the page resolves settings with the code of the stages. */
export function readRecipe() {
  const read = (name) => readFileSync(path.join(import.meta.dirname, '../configs', name), 'utf8');
  const profile = parse(read(`profiles/${recomputed}.yaml`));
  const { classes, sensor } = parse(read(`datasets/${profile.dataset.name}.yaml`));
  const { frames, runs } = JSON.parse(read(`baselines/${recomputed}.json`));
  const models = profile.models.map((model) => [model, parse(read(`models/${model}.yaml`))]);
  return {
    profile,
    dataset: { name: profile.dataset.name, classes, sensor },
    models: Object.fromEntries(models),
    baseline: { profile: recomputed, frames, runs },
  };
}
