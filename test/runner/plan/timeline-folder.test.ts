import { mkdir, realpath, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan, type PlanRequest } from '../../../src/runner/plan/load.ts';
import { failureOf, makeProject, planOf, refusalOf } from './project-fixture.ts';

const stages = `stages:
  make: {run: stages/a.ts, outputs: [artifacts/made], resume: [artifacts/made.resume]}
  read: {run: stages/b.ts, inputs: [artifacts/made, {path: artifacts/given, external: true}], outputs: [artifacts/read]}
  other: {when: false, run: stages/c.ts, outputs: [artifacts/other]}
`;
const pipelineOf = (folder: string): string => `version: 1\ntimeline: ${JSON.stringify(folder)}\n${stages}`;
const ownFolder = '\n  Give it a folder of its own below artifacts/, such as artifacts/timeline.';

describe('the folder of the timeline', () => {
  test.each([
    ['artifacts/timeline', 'artifacts/timeline'],
    ['./artifacts//a folder/ü 🕐', 'artifacts/a folder/ü 🕐'],
    ['artifacts/made2', 'artifacts/made2'],
  ])('may be %s', async (written, folder) => {
    expect((await planOf(pipelineOf(written))).timeline).toBe(folder);
  });

  test('is none if the pipeline names none', async () => {
    expect(await planOf(`version: 1\n${stages}`)).not.toHaveProperty('timeline');
  });

  test.each<[string, string, Partial<PlanRequest>?]>([
    ['results', '"results" is not below artifacts/.'],
    ['artifacts', '"artifacts" is not below artifacts/.'],
    ['.', '"." is the whole project.'],
    ['artifacts/../../elsewhere', '"artifacts/../../elsewhere" leaves the project.'],
    ['/tmp/timeline', '"/tmp/timeline" leaves the project.'],
    [
      'artifacts/.cache/timeline',
      '"artifacts/.cache/timeline" is in "artifacts/.cache", which belongs to the runner.',
    ],
    [
      'artifacts/README.md',
      '"artifacts/README.md" would replace "artifacts/README.md", which is not generated.',
    ],
    ['artifacts/a\tb', '"artifacts/a\\tb" contains a control character.'],
    [
      'artifacts/*',
      '"artifacts/*" contains "*"; patterns are not expanded.\n  Name the folder: it includes everything inside.',
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
    ['artifacts/${a}', '"artifacts/${a}" contains a reference, and is the same for all profiles.'],
    ['artifacts/made', '"artifacts/made" is also output "artifacts/made" of "make" (pipeline.yaml:4:38).'],
    [
      'artifacts/made/x',
      '"artifacts/made/x" lies inside output "artifacts/made" of "make" (pipeline.yaml:4:38).',
    ],
    [
      'artifacts/made.resume/x',
      '"artifacts/made.resume/x" lies inside resume path "artifacts/made.resume" of "make" (pipeline.yaml:4:64).',
    ],
    [
      'artifacts/given/x',
      '"artifacts/given/x" lies inside input "artifacts/given" of "read" (pipeline.yaml:5:60).',
    ],
    [
      'artifacts/other',
      '"artifacts/other" is also output "artifacts/other" of "other", which other profiles have.',
    ],
    [
      'artifacts/MADE',
      '"artifacts/MADE" is also output "artifacts/made" of "make" (pipeline.yaml:4:38).',
      { ignoresCase: true },
    ],
  ])('may not be %s', async (folder, message, request = {}) => {
    const fix = message.includes('\n') ? '' : ownFolder;
    expect(await refusalOf(pipelineOf(folder), {}, { ignoresCase: false, ...request })).toBe(
      `pipeline.yaml:2:11  timeline: ${message}${fix}`,
    );
  });

  test('may not be around what a stage makes', async () => {
    const pipeline = pipelineOf('artifacts/all').replaceAll('artifacts/made', 'artifacts/all/made');
    expect(await refusalOf(pipeline)).toBe(
      `pipeline.yaml:2:11  timeline: "artifacts/all" contains output "artifacts/all/made" of "make" (pipeline.yaml:4:38).${ownFolder}`,
    );
  });

  test('may not be empty', async () => {
    expect(await refusalOf(pipelineOf(''))).toContain('pipeline.yaml:2:11  timeline: ');
  });

  test.each(['within', 'outside'])('may not be a link %s the project, nor behind one', async (place) => {
    const root = await makeProject({
      'pipeline.yaml': pipelineOf('artifacts/link/timeline'),
      'artifacts/x': '',
    });
    const target = place === 'within' ? path.join(root, 'data') : `${root}-elsewhere`;
    if (place === 'within') await mkdir(target);
    await symlink(target, path.join(root, 'artifacts/link'));
    const shown = place === 'within' ? await realpath(target) : target;
    expect((await failureOf(loadPlan({ projectRoot: root }))).split('\n')).toEqual([
      `artifacts/link  is a symbolic link to "${shown}", and the runner replaces and deletes what is there.`,
      '  Remove the link, which leaves what it leads to alone: rm artifacts/link',
    ]);
  });
});
