import fs from 'node:fs/promises';
import path from 'node:path';
import { compile, instantiate } from 'plif-native/wasm';
import { expect, onTestFinished, test } from 'vitest';
import { instanceEngine } from '../../../src/network/engines/native/addon-engine.ts';
import { readFramesFacts, readRunFacts } from '../../../src/report/baseline/collect.ts';
import { type RecomputeEvent, recompute } from '../../../src/report/explorable/recompute.ts';
import { repository } from '../../runner/rig/cli-project.ts';
import { createTinyReproduction } from '../baseline/tiny-reproduction.ts';
import { plifWasm, readShortRecipe } from './recipe.ts';

test('what the page recomputes equals the files of ./repro run --profile quick-wasm, with few people', async () => {
  const project = await createTinyReproduction();
  onTestFinished(() => project.remove('.'));
  for (const name of [
    'pipeline.yaml',
    'schemas',
    'configs/claims.yaml',
    'configs/profiles',
    'dist/explore.js',
  ])
    await fs.cp(path.join(repository, name), project.at(name), { recursive: true });
  const people = { trainUsers: 4, testUsers: 2 };
  const few = Object.entries(people).map(([name, count]) => `simulate.${name}=${count}`);
  const sets = ['train.epochs=2', 'models=[baseline]', ...few];
  const words = ['--profile', 'quick-wasm', ...sets.flatMap((set) => ['--set', set])];
  const { exitCode, stderr } = await project.call(['run', 'evaluate', ...words]);
  expect(stderr).toContain('evaluate@baseline,2020');
  expect(exitCode).toBe(0);
  const of = { model: 'baseline', seed: 2020, engine: '', evaluationEngine: '' };
  const folderOf = (stage: string) => project.at(`artifacts/${stage}/baseline/2020`);
  const {
    engine: _,
    evaluationEngine: __,
    ...run
  } = await readRunFacts({ train: folderOf('train'), evaluate: folderOf('evaluate') }, of);
  const { instances } = await project.json(['metrics', 'frames', ...words]);
  const { frames } = await readFramesFacts(project.at('artifacts/frames'), instances[0].metrics);

  const events: RecomputeEvent[] = [];
  const engine = instanceEngine(instantiate(compile(plifWasm())));
  const tell = (event: RecomputeEvent) => void events.push(event);
  const { profile, ...others } = readShortRecipe();
  const recipe = { ...others, profile: { ...profile, simulate: { ...profile.simulate, ...people } } };
  await recompute(recipe, { model: 'baseline', seed: 2020, engine, tell });
  expect(events.at(-1)).toMatchObject({ kind: 'end', frames, run });
});
