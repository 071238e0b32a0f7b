import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { plainEnvironment, repro } from '../runner/rig/cli-project.ts';
import { createWordProject } from '../runner/rig/word-project.ts';

const message = 'pipeline.yaml:8:15  stage "words": output "/elsewhere/words" leaves the project.';

/** A project that ran once, and then got an output where none may be, and a second one that overwrites the runner's records. */
async function createMisplaced() {
  const project = await createWordProject();
  await project.call(['run']);
  await project.edit('pipeline.yaml', 'outputs: [artifacts/words]', 'outputs: [/elsewhere/words]');
  await project.edit(
    'pipeline.yaml',
    'inputs: [artifacts/words]',
    'inputs: [{path: /elsewhere/words, external: true}]',
  );
  await project.edit('pipeline.yaml', 'artifacts/sum/', 'artifacts/.cache/');
  return project;
}

test('an output in a bad place stops what runs stages or puts results in place, and nothing else', async () => {
  const project = await createMisplaced();
  const reading = [['explain', 'words'], ['graph'], ['logs', 'words'], ['metrics'], ['timeline']];
  for (const words of reading) {
    const { exitCode, stderr, stdout } = await project.call(words);
    const warning = `! ${message} \`repro run\` is refused because of that (and 1 more).`;
    expect([words, exitCode, stderr]).toEqual([words, 0, warning]);
    expect(stdout).toContain('words');
  }
  const running = [
    ['run'],
    ['run', '-n'],
    ['status'],
    ['audit', 'words'],
    ['cache', 'pull'],
    ['check'],
    ['lock'],
  ];
  for (const words of running) {
    const { exitCode, stderr } = await project.call(words);
    expect([words, exitCode, stderr]).toEqual([words, 2, expect.stringContaining(message)]);
  }
  const { stdout, stderr } = await project.call(['complete-words', 'zsh', '--', 'logs', '']);
  expect([stdout, stderr]).toEqual([expect.stringContaining('words'), '']);
});

test('what a model needs is told with recordings that the profile would overwrite', async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const words = ['doctor', '--plan', 'baseline', '--set', 'dataset.root=/elsewhere', '--project', root];
  const { exitCode, stdout, stderr } = await execa(process.execPath, [repro, ...words], {
    reject: false,
    env: plainEnvironment,
  });
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('output "/elsewhere" leaves the project.')]);
  expect(stdout).toContain('parameters');
});
