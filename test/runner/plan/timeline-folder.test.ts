import { mkdir, realpath, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { failureOf, makeProject, planOf, refusalOf } from './project-fixture.ts';

/** A pipeline whose stages have paths below `artifacts/made`, unless another folder is given. */
const pipelineOf = (made = 'artifacts/made', folder = 'artifacts/timeline'): string => `version: 1
timeline: ${JSON.stringify(folder)}
stages:
  make: {run: stages/a.ts, outputs: [${made}], resume: [artifacts/made.resume]}
  read: {run: stages/b.ts, inputs: [${made}, {path: artifacts/given, external: true}], outputs: [artifacts/read]}
  other: {when: false, run: stages/c.ts, outputs: [artifacts/other]}
`;

describe('the folder of the timeline', () => {
  test('is artifacts/timeline, or none if the pipeline names none', async () => {
    expect((await planOf(pipelineOf())).timeline).toBe('artifacts/timeline');
    expect((await planOf(pipelineOf('artifacts/timeline2'))).timeline).toBe('artifacts/timeline');
    expect(await planOf(pipelineOf().replace(/timeline:.*\n/, ''))).not.toHaveProperty('timeline');
  });

  test.each(['', 'results', 'artifacts', './artifacts/timeline', 'artifacts/times', '/tmp/timeline'])(
    'may not be "%s"',
    async (folder) => {
      expect(await refusalOf(pipelineOf('artifacts/made', folder))).toContain(
        `pipeline.yaml:2:11  timeline: "${folder}" is not "artifacts/timeline".`,
      );
    },
  );

  test.each([
    ['artifacts/timeline', 'make', '4:38'],
    ['artifacts/timeline/x', 'make', '4:38'],
  ])('may not be near output %s', async (made, stage, place) => {
    expect(await refusalOf(pipelineOf(made))).toBe(
      `pipeline.yaml:2:11  timeline: "artifacts/timeline" must be a folder of its own, but "${made}" is a path of "${stage}" (pipeline.yaml:${place}).\n  Choose another path for that stage, or leave out \`timeline:\`.`,
    );
  });

  test.each([
    ['artifacts/made.resume', 'artifacts/timeline/x', 'make'],
    ['artifacts/given', 'artifacts/timeline/x', 'read'],
    ['artifacts/other', 'artifacts/timeline', 'other'],
    ['artifacts/read', 'artifacts/TIMELINE', 'read'],
  ])(
    'may not be near a resume folder, an input, or what another profile has: %s as %s',
    async (from, to, stage) => {
      const refusal = await refusalOf(pipelineOf().replaceAll(from, to), {}, { ignoresCase: true });
      expect(refusal).toContain(
        `"artifacts/timeline" must be a folder of its own, but "${to}" is a path of "${stage}"`,
      );
    },
  );

  test.each(['within', 'outside'])('may not be behind a link %s the project', async (place) => {
    const root = await makeProject({ 'pipeline.yaml': pipelineOf(), 'artifacts/x': '' });
    const target = place === 'within' ? path.join(root, 'data') : `${root}-elsewhere`;
    if (place === 'within') await mkdir(target);
    await symlink(target, path.join(root, 'artifacts/timeline'));
    const shown = place === 'within' ? await realpath(target) : target;
    expect((await failureOf(loadPlan({ projectRoot: root }))).split('\n')).toEqual([
      `artifacts/timeline  is a symbolic link to "${shown}", and the runner replaces and deletes what is there.`,
      '  Remove the link, which leaves what it leads to alone: rm artifacts/timeline',
    ]);
  });
});
