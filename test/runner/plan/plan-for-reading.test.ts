import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { failureOf, makeProject, planOf, refusalOf } from './project-fixture.ts';

const pipelineOf = (output: string, more = ''): string => `version: 1
${more}stages:
  make: {run: stages/a.ts, outputs: ["${output}"]}
  read: {run: stages/b.ts, inputs: [{path: "${output}", external: true}], outputs: [artifacts/read]}
`;
const forReading = { isForReading: true };

describe('a plan that is only read', () => {
  test.each([
    ['/elsewhere/made', 'stage "make": output "/elsewhere/made" leaves the project.'],
    ['../made', 'stage "make": output "../made" leaves the project.'],
    ['results', 'stage "make": output "results" is not below artifacts/.'],
    [
      'artifacts/.cache/x',
      'stage "make": output "artifacts/.cache/x" is in "artifacts/.cache", which belongs to the runner.',
    ],
    [
      'artifacts/read',
      'stage "read": output "artifacts/read" is already made by "make" (pipeline.yaml:3:38).',
    ],
  ])('may have the output %s, which a run refuses, and says why', async (output, message) => {
    const plan = await planOf(pipelineOf(output), {}, forReading);
    expect([...plan.instances.keys()]).toEqual(['make', 'read']);
    expect(plan.dependencies.get('read')).toEqual(['make']);
    expect(plan.misplaced?.map((one) => one.message)).toContain(message);
    expect(await refusalOf(pipelineOf(output))).toContain(message);
  });

  test('may have a timeline where none can be, but then has none', async () => {
    const pipeline = pipelineOf('artifacts/timeline', 'timeline: artifacts/timeline\n');
    const plan = await planOf(pipeline, {}, forReading);
    expect(plan).not.toHaveProperty('timeline');
    expect(plan.misplaced).toHaveLength(1);
  });

  test('may be of a project whose artifacts are a link', async () => {
    const projectRoot = await makeProject({ 'pipeline.yaml': pipelineOf('artifacts/made') });
    const disk = await makeProject({});
    await symlink(disk, path.join(projectRoot, 'artifacts'));
    expect(await failureOf(loadPlan({ projectRoot }))).toContain('artifacts  is a symbolic link');
    const plan = await loadPlan({ projectRoot, ...forReading });
    expect(plan.dependencies.get('read')).toEqual(['make']);
    expect(plan.misplaced?.[0]?.message).toContain('is a symbolic link');
  });

  test('is refused for what is wrong otherwise', async () => {
    const head = 'version: 1\nstages:\n';
    const missing = `${head}  a: {run: stages/a.ts, inputs: [data], outputs: [results]}\n`;
    expect(await refusalOf(missing, {}, forReading)).toMatch(/input "data" is made by no stage/);
    const star = `${head}  a: {run: stages/a.ts, outputs: ["artifacts/*"]}\n`;
    expect(await refusalOf(star, {}, forReading)).toContain('patterns are not expanded');
    const outside = `${head}  a: {run: stages/a.ts, inputs: [../data], outputs: [artifacts/a]}\n`;
    expect(await refusalOf(outside, {}, forReading)).toContain('input "../data" leaves the project');
  });

  test('has nothing misplaced if all is well', async () => {
    expect(await planOf(pipelineOf('artifacts/made'), {}, forReading)).not.toHaveProperty('misplaced');
  });
});

test('a link elsewhere in the project is no output', async () => {
  const projectRoot = await makeProject({ 'pipeline.yaml': pipelineOf('artifacts/made'), 'artifacts/x': '' });
  await mkdir(path.join(projectRoot, 'data'));
  await symlink('../data', path.join(projectRoot, 'artifacts/made'));
  const plan = await loadPlan({ projectRoot, ...forReading });
  expect(plan.misplaced?.map(({ at }) => at)).toContain('artifacts/made');
});
