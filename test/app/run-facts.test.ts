import fs from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { CliProject, repository } from '../runner/rig/cli-project.ts';

const TRAIN = `import fs from 'node:fs';
export default { summary: 'trains', async run({ outputs }) { fs.writeFileSync(outputs[0], 'trained'); } };
`;

/** A stage that writes what it is told of the run, behind one that always writes the same. */
function createProject(): Promise<CliProject> {
  return CliProject.create({
    'pipeline.yaml': `version: 1
profiles: {folder: profiles, default: quick}
machine: [train.engine]
stages:
  train: {run: stages/train.mjs, params: [train], outputs: [artifacts/train]}
  report: {run: stages/report.mjs, inputs: [artifacts/train], facts: [code, configuration], outputs: [artifacts/report]}
`,
    'profiles/quick.yaml': 'train: {epochs: 32, engine: auto}\nnote: a\n',
    'stages/train.mjs': TRAIN,
    'stages/report.mjs': `import fs from 'node:fs';
export default { summary: 'reports', async run({ facts, outputs }) { fs.writeFileSync(outputs[0], JSON.stringify(facts)); } };
`,
  });
}

async function run(project: CliProject, ...words: readonly string[]) {
  const { instances } = await project.json(['run', ...words]);
  const states: string[] = instances.map(({ state }: { state: string }) => state);
  return { states, facts: JSON.parse(project.read('artifacts/report')) };
}

test('a stage with the fact "configuration" knows the profile and every override that changes a result', async () => {
  const project = await createProject();
  const plain = await run(project);
  expect(JSON.parse(plain.facts.configuration)).toEqual({ profile: 'quick', set: [] });
  // Which engine computes is no other configuration.
  expect((await run(project, '--set', 'train.engine=wasm')).states).toEqual(['cached', 'cached']);
  const trial = await run(project, '--set', 'train.epochs=3', '--set', 'train.engine=wasm');
  expect(JSON.parse(trial.facts.configuration)).toEqual({ profile: 'quick', set: ['train.epochs=3'] });
  expect(await run(project)).toEqual({ states: ['cached', 'cached'], facts: plain.facts });
  // What no stage uses changes nothing but what names it: that is a trial's, too.
  const noted = ['--set', 'note=b'];
  expect((await run(project, ...noted)).states).toEqual(['cached', 'finished']);
  const { instances } = await project.json(['metrics', ...noted]);
  expect(instances).toMatchObject([{ overrides: [] }, { overrides: ['note=b'] }]);
});

test('the fact "code" is that of all stages behind one, and makes stale what names it', async () => {
  const project = await createProject();
  const { facts } = await run(project);
  expect(facts.code).toMatch(/^[0-9a-f]{64}$/);
  await project.write('stages/train.mjs', `// A comment changes nothing.\n${TRAIN}`);
  expect(await run(project)).toEqual({ states: ['cached', 'cached'], facts });
  await project.write('stages/train.mjs', TRAIN.replace("'trained'", "['trained'].join()"));
  const changed = await run(project);
  expect(changed.states).toEqual(['finished', 'finished']);
  expect(changed.facts.code).not.toBe(facts.code);
});

test('a stage that the report does not read changes nothing for it', async () => {
  const project = await createProject();
  const { facts } = await run(project);
  const own = `  own: {run: stages/own.mjs, inputs: [artifacts/train], outputs: [artifacts/own]}\n`;
  await project.write('stages/own.mjs', TRAIN);
  await project.write('pipeline.yaml', project.read('pipeline.yaml') + own);
  expect(await run(project)).toEqual({ states: ['cached', 'cached', 'finished'], facts });
  await project.edit('stages/own.mjs', "'trained'", "'mine'");
  expect((await run(project)).states).toEqual(['cached', 'cached', 'finished']);
});

test('a change of these facts is told in words, without their values', async () => {
  const project = await createProject();
  await run(project);
  expect((await project.call(['status', 'report', '--set', 'note=b'])).stdout).toMatch(
    /^report {2}stale +the profile or its --set changed$/m,
  );
  await project.write('stages/train.mjs', TRAIN.replace("'trained'", "['trained'].join()"));
  await project.call(['run', 'train']);
  expect((await project.call(['status', 'report'])).stdout).toMatch(
    /^report {2}stale +the code of a stage that it depends on changed$/m,
  );
});

test('a named engine that is not here stops a run before its first stage, if a stage needs it', async () => {
  const project = await CliProject.create({
    'pipeline.yaml': `version: 1
profiles: {folder: profiles, default: quick}
stages:
  frames: {cmd: [touch, artifacts/frames], outputs: [artifacts/frames]}
  train: {cmd: [ls], params: [train], inputs: [artifacts/frames], facts: [engine], outputs: [artifacts/train]}
`,
    'profiles/quick.yaml': 'train: {engine: native}\n',
  });
  const withoutEngine = { PLIF_NATIVE_BINARY: project.at('none.node') };
  for (const options of [[], ['--dry-run']]) {
    const { exitCode, stdout, stderr } = await project.call(['run', ...options], withoutEngine);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^profiles\/quick\.yaml:1:17 {2}"train\.engine": There is no native engine: .+\.\n.+ Or choose another engine: `auto` takes the fastest there is\.$/,
    );
  }
  expect(project.has('artifacts/frames')).toBe(false);
  const frames = await project.call(['run', 'frames', '--dry-run'], withoutEngine);
  expect(frames.exitCode).toBe(0);
});

test('that there is no native engine is said once a training runs, and not before', async () => {
  const project = await CliProject.create({
    'pipeline.yaml': `version: 1
profiles: {folder: profiles, default: quick}
stages:
  train: {cmd: [sh, -c, 'touch "$REPRO_OUTPUT_0"'], params: [train], facts: [engine], outputs: [artifacts/train]}
  evaluate: {cmd: [sh, -c, 'touch "$REPRO_OUTPUT_0"'], inputs: [artifacts/train], facts: [engine], outputs: [artifacts/evaluate]}
`,
    'profiles/quick.yaml': 'train: {engine: auto}\n',
  });
  // Where the packages of engines are.
  await fs.symlink(path.join(repository, 'node_modules'), project.at('node_modules'));
  const runWith = async (...words: readonly string[]) =>
    (await project.call(['run', ...words], { PLIF_NATIVE_BINARY: project.at('none.node') })).stderr;
  const note = 'There is no native engine';
  expect(await runWith('--dry-run')).not.toContain(note);
  expect((await runWith()).split(note)).toHaveLength(2);
  expect(await runWith()).not.toContain(note);
  expect(await runWith('--force', 'evaluate')).not.toContain(note);
});
