import { realpathSync, symlinkSync } from 'node:fs';
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

test('without the native engine, a run that trains says once how much slower it is and how to get it, if nothing else was chosen', async () => {
  const project = await CliProject.create({
    'pipeline.yaml': `version: 1
profiles: {folder: profiles, default: small}
stages:
  train:
    matrix: {model: [a, b]}
    cmd: [sh, -c, 'echo x > "$REPRO_OUTPUT_0"']
    params: [train]
    outputs: ["artifacts/train/\${model}"]
    facts: [engine]
`,
    'profiles/small.yaml': 'train: {engine: tfjs-cpu}\n',
  });
  // The engine's version is that of the installed package.
  symlinkSync(realpathSync('node_modules'), project.at('node_modules'), 'dir');
  const none = { PLIF_NATIVE_BINARY: '/none.node' };
  const auto = ['--set', 'train.engine=auto'];
  const pattern =
    /^! train@\w {2}There is no native engine: .*takes 2.6 to 3.6 times as long on it\. .*takes thousands of times as long\.\n.*`npm run build:native`/gm;
  for (const words of [['--dry-run'], []]) {
    const { stderr } = await project.call(['run', ...auto, ...words], none);
    expect(stderr.match(pattern)).toHaveLength(1);
  }
  expect((await project.call(['run', ...auto], none)).stderr).not.toContain('native engine');
  expect((await project.call(['run', '--force'], none)).stderr).not.toContain('native engine');
});
