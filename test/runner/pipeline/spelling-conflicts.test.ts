import { link } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/pipeline/load.ts';
import { failureOf, makeProject } from './project-fixture.ts';

const pipeline = `version: 1
stages:
  one: {cmd: [make], outputs: [artifacts/Model, artifacts/r\u00e9sum\u00e9]}
  two: {cmd: [make], outputs: [artifacts/model]}
  three: {cmd: [make], outputs: [artifacts/re\u0301sume\u0301/x]}
  four: {cmd: [make], inputs: [artifacts/MODEL/a, artifacts/other], outputs: [artifacts/modeler]}
`;

describe('paths that differ only in spelling', () => {
  test('are refused where the disk ignores case', async () => {
    const folder = await makeProject({ 'pipeline.yaml': pipeline, 'artifacts/other': '' });
    // With this name for the same file, the disk looks like one that ignores case.
    await link(path.join(folder, 'pipeline.yaml'), path.join(folder, 'PIPELINE.YAML'));
    const message = await failureOf(loadPlan({ projectRoot: folder }));
    expect(message.split('\n')).toEqual([
      'pipeline.yaml:4:32  stage "two": output "artifacts/model" and output "artifacts/Model" of "one" (pipeline.yaml:3:32) differ only in spelling, and on this disk name the same.',
      '  Give each a name of its own: two stages would delete each other’s work.',
      `pipeline.yaml:5:34  stage "three": output "artifacts/re\u0301sume\u0301/x" and output "artifacts/r\u00e9sum\u00e9" of "one" (pipeline.yaml:3:49) differ only in spelling, and on this disk name the same.`,
      '  Give each a name of its own: two stages would delete each other’s work.',
      'pipeline.yaml:6:32  stage "four": input "artifacts/MODEL/a" and output "artifacts/Model" of "one" (pipeline.yaml:3:32) differ only in spelling, and on this disk name the same.',
      '  Spell both alike.',
    ]);
  });

  test('are different paths where it does not', async () => {
    const folder = await makeProject({
      'pipeline.yaml': pipeline.replace(/^ {2}four.*\n/m, ''),
    });
    const plan = await loadPlan({ projectRoot: folder });
    expect([...plan.instances.keys()]).toEqual(['one', 'two', 'three']);
  });
});
