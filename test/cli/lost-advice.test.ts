import { expect, test } from 'vitest';
import { adviseOnLost } from '../../src/cli/cache/verify.ts';
import { makeProject } from '../runner/plan/project-fixture.ts';

const stages = `stages:
  train: {matrix: {seed: [1, 2]}, cmd: [make], outputs: ["artifacts/train/\${seed}"]}
`;

test('what helps against a loss is a run with its profile, or to give up what the pipeline no longer has', async () => {
  const root = await makeProject({
    'pipeline.yaml': `version: 1\nprofiles: {folder: profiles, default: quick}\n${stages}`,
    'profiles/quick.yaml': '{}\n',
    'profiles/full.yaml': '{}\n',
  });
  const lost = (stage: string, id: string, profile: string) => ({
    id,
    stage,
    profile,
    output: `artifacts/${id}`,
  });
  expect(
    await adviseOnLost(root, [
      lost('train', 'train@1', 'full'),
      lost('train', 'train@7', 'full'),
      lost('b', 'b', 'full'),
      lost('b', 'b', 'full'),
      lost('train', 'train@2', 'quick'),
      lost('train', 'train@1', 'former'),
    ]),
  ).toEqual([
    'A run computes it again: ./repro run --profile full train@1',
    'Not in the pipeline with profile full; give it up: ./repro gc --forget train@7 --forget b',
    'A run computes it again: ./repro run --profile quick train@2',
    'The pipeline cannot be loaded with profile former. What it still has, a run computes again: ./repro run --profile former',
  ]);
});

test('a pipeline without profiles needs none', async () => {
  const root = await makeProject({ 'pipeline.yaml': `version: 1\n${stages}` });
  expect(
    await adviseOnLost(root, [
      { id: 'train@1', stage: 'train', profile: 'none', output: 'artifacts/train/1' },
    ]),
  ).toEqual(['A run computes it again: ./repro run train@1']);
});
