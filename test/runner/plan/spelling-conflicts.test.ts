import { link, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { ProjectPaths } from '../../../src/runner/plan/project-paths.ts';
import { failureOf, makeProject } from './project-fixture.ts';

const pipelineOf = (...stages: string[]): string => `version: 1\nstages:\n${stages.join('\n')}\n`;

const pipeline = pipelineOf(
  '  one: {cmd: [make], outputs: [artifacts/Model, artifacts/r\u00e9sum\u00e9]}',
  '  two: {cmd: [make], outputs: [artifacts/model]}',
  '  three: {cmd: [make], outputs: [artifacts/re\u0301sume\u0301/x]}',
);

describe('paths that differ only in spelling', () => {
  test.each([
    [
      'as outputs of two stages, in case or in how an accent is composed',
      pipeline,
      [
        '"two": output "artifacts/model" and output "artifacts/Model" of "one" (pipeline.yaml:3:32)',
        `"three": output "artifacts/re\u0301sume\u0301/x" and output "artifacts/r\u00e9sum\u00e9" of "one"`,
      ],
    ],
    [
      'as an input that spells an output otherwise',
      pipelineOf(
        '  one: {cmd: [make], outputs: [artifacts/Model]}',
        '  four: {cmd: [make], inputs: [artifacts/MODEL/a, other.txt], outputs: [artifacts/modeler]}',
      ),
      ['"four": input "artifacts/MODEL/a" and output "artifacts/Model" of "one"'],
    ],
    [
      'as input and output of one stage',
      pipelineOf('  s: {cmd: [make], inputs: [artifacts/DATA/x], outputs: [artifacts/data]}'),
      ['"s": input "artifacts/DATA/x" and output "artifacts/data" of its own'],
    ],
    [
      'as outputs of one stage, where letters have more than one small form',
      pipelineOf(
        '  s: {cmd: [make], outputs: [artifacts/οδοσ, artifacts/ΟΔΟΣ, artifacts/s, artifacts/\u017f]}',
      ),
      [
        'output "artifacts/ΟΔΟΣ" and output "artifacts/οδοσ" of its own',
        'output "artifacts/\u017f" and output "artifacts/s" of its own',
      ],
    ],
    [
      'as an input and the resume folder of another stage',
      pipelineOf(
        '  a: {cmd: [make], outputs: [artifacts/a], resume: [artifacts/in/a]}',
        '  b: {cmd: [make], inputs: [artifacts/IN/A], outputs: [artifacts/b]}',
      ),
      ['input "artifacts/IN/A" and resume path "artifacts/in/a" of "a"'],
    ],
  ])('are refused %s, on a disk that ignores case', async (_, text, expected) => {
    const folder = await makeProject({ 'pipeline.yaml': text, 'other.txt': '' });
    const lines = (await failureOf(loadPlan({ projectRoot: folder, ignoresCase: true }))).split('\n');
    const messages = lines.filter((_, i) => i % 2 === 0);
    expect(messages).toEqual(expected.map((one) => expect.stringContaining(one)));
    for (const one of messages) {
      expect(one).toContain('differ only in spelling; this disk treats them as one path.');
    }
    expect(new Set(lines.filter((_, i) => i % 2 === 1))).toEqual(
      new Set(['  Spell both the same, or give each its own name.']),
    );
  });

  test('are different paths where it does not', async () => {
    const folder = await makeProject({ 'pipeline.yaml': pipeline });
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
