import { link, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { ProjectPaths } from '../../../src/runner/plan/project-paths.ts';
import { failureOf, makeProject } from './project-fixture.ts';

const pipeline = `version: 1
stages:
  one: {cmd: [make], outputs: [artifacts/Model, artifacts/r\u00e9sum\u00e9]}
  two: {cmd: [make], outputs: [artifacts/model]}
  three: {cmd: [make], outputs: [artifacts/re\u0301sume\u0301/x]}
  four: {cmd: [make], inputs: [artifacts/MODEL/a, other.txt], outputs: [artifacts/modeler]}
`;

describe('paths that differ only in spelling', () => {
  /** What is said of a pipeline on a disk that ignores case. */
  async function refusalOf(text: string): Promise<string[]> {
    const folder = await makeProject({ 'pipeline.yaml': text, 'other.txt': '' });
    return (await failureOf(loadPlan({ projectRoot: folder, ignoresCase: true }))).split('\n');
  }

  test('are refused where the disk ignores case', async () => {
    expect(await refusalOf(pipeline)).toEqual([
      'pipeline.yaml:4:32  stage "two": output "artifacts/model" and output "artifacts/Model" of "one" (pipeline.yaml:3:32) differ only in spelling; this disk treats them as one path.',
      '  Give each its own name: two stages would delete each other’s work.',
      `pipeline.yaml:5:34  stage "three": output "artifacts/re\u0301sume\u0301/x" and output "artifacts/r\u00e9sum\u00e9" of "one" (pipeline.yaml:3:49) differ only in spelling; this disk treats them as one path.`,
      '  Give each its own name: two stages would delete each other’s work.',
      'pipeline.yaml:6:32  stage "four": input "artifacts/MODEL/a" and output "artifacts/Model" of "one" (pipeline.yaml:3:32) differ only in spelling; this disk treats them as one path.',
      '  Spell both the same.',
    ]);
  });

  test.each([
    [
      '{cmd: [make], inputs: [artifacts/DATA/x], outputs: [artifacts/data]}',
      'input "artifacts/DATA/x" and output "artifacts/data" of its own',
      'A stage that changes its own input would never be up to date.',
    ],
    [
      '{cmd: [make], inputs: [artifacts/DATA], outputs: [artifacts/x], resume: [artifacts/data/s]}',
      'input "artifacts/DATA" and resume path "artifacts/data/s" of its own',
      'A stage cannot read a folder that comes and goes during a run.',
    ],
    [
      '{cmd: [make], outputs: [artifacts/οδοσ, artifacts/ΟΔΟΣ]}',
      'output "artifacts/ΟΔΟΣ" and output "artifacts/οδοσ" of its own',
      'Give each its own name: one would replace the other.',
    ],
    [
      '{cmd: [make], outputs: [artifacts/s, artifacts/\u017f]}',
      'output "artifacts/\u017f" and output "artifacts/s" of its own',
      'Give each its own name: one would replace the other.',
    ],
  ])('are refused within a stage, too: %s', async (stage, both, fix) => {
    const [message, ...more] = await refusalOf(`version: 1\nstages:\n  s: ${stage}\n`);
    expect(message).toContain(both);
    expect(more).toEqual([`  ${fix}`]);
  });

  test.each([
    ['artifacts/IN/A', 'A stage cannot read a folder that comes and goes during a run.'],
    ['artifacts/IN', 'Spell both the same.'],
  ])('are refused where one is the resume folder of another stage: %s', async (input, fix) => {
    const [message, ...more] = await refusalOf(
      `version: 1
stages:
  a: {cmd: [make], outputs: [artifacts/a], resume: [artifacts/in/a]}
  b: {cmd: [make], inputs: [${input}], outputs: [artifacts/b]}
`,
    );
    expect(message).toContain(`input "${input}" and resume path "artifacts/in/a" of "a"`);
    expect(more).toEqual([`  ${fix}`]);
  });

  test('are different paths where it does not', async () => {
    const folder = await makeProject({
      'pipeline.yaml': pipeline.replace(/^ {2}four.*\n/m, ''),
    });
    const plan = await loadPlan({ projectRoot: folder, ignoresCase: false });
    expect([...plan.instances.keys()]).toEqual(['one', 'two', 'three']);
  });

  test('are what the disk itself is asked about', async () => {
    const folder = await makeProject({ 'pipeline.yaml': pipeline });
    const other = path.join(folder, 'PIPELINE.YAML');
    const ignores = await stat(other).then(
      () => true,
      () => false,
    );
    // With this name for the same file, any disk looks like one that ignores case.
    if (!ignores) {
      expect(new ProjectPaths(folder).ignoresCase('pipeline.yaml')).toBe(false);
      await link(path.join(folder, 'pipeline.yaml'), other);
    }
    expect(new ProjectPaths(folder).ignoresCase('pipeline.yaml')).toBe(true);
  });
});
