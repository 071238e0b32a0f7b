import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTinyReproduction } from '../report/baseline/tiny-reproduction.ts';
import { type CliProject, repository } from '../runner/rig/cli-project.ts';
import { hasPython } from '../support/python.ts';

/** What a newcomer does in the first hour, with this project's own pipeline.yaml on small data. The tests follow one another. */
let project: CliProject;
beforeAll(async () => {
  project = await createTinyReproduction();
  for (const name of ['pipeline.yaml', 'schemas', 'configs/claims.yaml', 'dist/explore.js']) {
    await fs.cp(path.join(repository, name), project.at(name), { recursive: true });
  }
  const quick = project.read('configs/profiles/tiny.yaml').replace('[lambda-0.1]', '[baseline, no-reg]');
  await project.write('configs/profiles/quick.yaml', `${quick}report: {title: Quick}\n`);
  for (const left of ['configs/profiles/tiny.yaml', 'tools', 'verdicts.json']) await project.remove(left);
});
afterAll(() => project.remove('.'));

const trial = ['--set', 'train.epochs=3'];

async function call(...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await project.call(words);
  if (exitCode !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  return `${stdout}\n${stderr}`;
}

test('the quick run ends with its results, and the page is there', async () => {
  const text = await call('run');
  expect(text).toContain('results of profile quick:\n');
  expect(text).toMatch(/^ {2}baseline +2020 +\d.* %/m);
  expect(text).toContain('report: artifacts/report/index.html\nreport: artifacts/report/explore.html');
  expect(project.read('artifacts/report/index.html')).toContain('imulated');
});

test('a trial says that it is one', async () => {
  expect(await call('run', ...trial)).toContain('results of profile quick with train.epochs=3:\n');
  const { instances } = await project.json(['metrics', 'train']);
  expect(instances).toHaveLength(2);
  for (const one of instances) expect(one).toMatchObject({ state: 'restorable', overrides: [] });
  const status = await call('status');
  expect(status).toMatch(
    /^train@baseline,2020 +to restore +holds the run with train\.epochs=3; \d+ files to restore$/m,
  );
  expect(status).not.toContain('altered');
});

test('gc and a comparison leave the trial aside', async () => {
  await call('gc');
  const { settings, onlyA } = await project.json(['compare', 'baseline', 'no-reg']);
  expect(onlyA).toEqual([]);
  expect(settings).not.toContainEqual(expect.objectContaining({ name: 'train.epochs' }));
  expect(await call('run')).toContain('5 restored, 3 up to date');
  expect((await call('logs', 'train@baseline,2020')).match(/^epoch/gm)).toHaveLength(2);
});

test('a model of one’s own with a fixed τ, and two seeds', async () => {
  const text = (await fs.readFile(path.join(repository, 'configs/models/lif-16.yaml'), 'utf8')).replace(
    /^title: .*$/m,
    'title: Mine',
  );
  await project.write('configs/models/mine.yaml', text);
  expect(await call('status')).not.toMatch(/stale|never run/);
  const words = ['--set', 'models=[baseline, mine]', '--set', 'seeds=[2020, 2021]'];
  const { instances } = await project.json(['run', ...words]);
  const ran = instances.flatMap(({ id, state }: { id: string; state: string }) =>
    state === 'finished' ? [id] : [],
  );
  expect(ran).toEqual([
    'train@baseline,2021',
    'train@mine,2020',
    'train@mine,2021',
    'evaluate@baseline,2021',
    'evaluate@mine,2020',
    'evaluate@mine,2021',
    'report',
  ]);
  expect(project.read('artifacts/report/index.html')).toContain('Mine');
  const { differences } = await project.json(['compare', 'baseline', 'mine', ...words]);
  const networks = ['baseline,2020 → mine,2020', 'baseline,2021 → mine,2021'];
  expect(differences).toMatchObject([{ networks, problem: null }]);
  expect((await project.json(['compare', 'baseline', 'no-reg'])).differences[0].networks).toHaveLength(1);
});

test.skipIf(!hasPython)('a stage of one’s own in Python', async () => {
  await project.write(
    'tools/count.py',
    `import json, os
lines = sum(1 for _ in open(os.path.join(os.environ["REPRO_INPUT_0"], "predictions.csv")))
with open(os.environ["REPRO_OUTPUT_0"], "w") as file: file.write(f"{lines}\\n")
with open(os.environ["REPRO_EVENTS"], "a") as file:
    print(json.dumps({"type": "metrics", "values": {"lines": lines}}), file=file)
`,
  );
  await project.edit(
    'pipeline.yaml',
    'stages:\n',
    'stages:\n  count: {cmd: [python3, tools/count.py], inputs: [artifacts/evaluate/baseline/2020], outputs: [artifacts/count]}\n',
  );
  await call('run', 'count');
  const { instances } = await project.json(['metrics', 'count']);
  expect(instances).toMatchObject([
    { state: 'fresh', metrics: { lines: Number(project.read('artifacts/count')) } },
  ]);
});
