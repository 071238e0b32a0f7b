import { expect, test } from 'vitest';
import { CliProject } from '../rig/cli-project.ts';

const pipeline = `version: 1
profiles: {folder: profiles, default: small}
stages:
  first: {cmd: [sh, -c, 'echo "$0" > "$REPRO_OUTPUT_0"', "\${word}"], outputs: [artifacts/first]}
  many:
    matrix: {n: "\${numbers}"}
    cmd: [sh, -c, 'cp artifacts/first "$REPRO_OUTPUT_0"']
    inputs: [artifacts/first]
    outputs: ["artifacts/many/\${n}"]
    resources: {cpu: 1, memory: 1M}
  last: {cmd: [sh, -c, 'ls artifacts/many > "$REPRO_OUTPUT_0"'], inputs: [artifacts/many], outputs: [artifacts/last]}
`;

test('a dry run names what would run, and why, and what is up to date', async () => {
  const project = await CliProject.create({
    'pipeline.yaml': pipeline,
    'profiles/small.yaml': 'word: hello\nnumbers: [1, 2, 3, 4]\n',
  });
  expect((await project.call(['run'])).exitCode).toBe(0);
  const removed = ['artifacts/.cache/store', 'artifacts/many/3'];
  for (const one of removed) await project.remove(one);
  const { instances } = await project.json(['run', '--dry-run']);
  expect(instances.map((one: { state: string }) => one.state)).toEqual([
    'cached',
    'cached',
    'cached',
    'would-run',
    'cached',
    'would-run',
  ]);
  await project.edit('profiles/small.yaml', 'hello', 'hi');
  const { stderr } = await project.call(['run', '--dry-run']);
  expect(stderr).toContain('? first  would run: command: ');
  expect(stderr).toContain('? many@4  would run: artifacts/first waits for first');
  expect(stderr).toContain('6 to run in');
});
