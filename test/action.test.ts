import { readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { studyFiles } from './app/small-study.ts';
import { CliProject, repository } from './runner/rig/cli-project.ts';

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: {
    readonly using: string;
    readonly steps: readonly [{ readonly run: string; readonly env: Readonly<Record<string, string>> }];
  };
}

const action: Action = parse(readFileSync(path.join(repository, 'action.yml'), 'utf8'));
const [{ run, env }] = action.runs.steps;
const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'));

/** Notes the address, and copies the judge from dist/; fails for releases that there are not. */
const curl = `#!/bin/bash
echo "\${@: -1}" >> curl.log
[[ "\${@: -1}" == *v9* ]] && { echo 'curl: (22) 404' >&2; exit 22; }
while [ "$1" != --output ]; do shift; done
cp '${repository}/dist/judge.mjs' "$2"
`;

/** Runs the action's script as GitHub does, with these inputs. @param node what `node` is, if it is not this one */
async function runAction(inputs: Readonly<Record<string, string>> = {}, node?: string) {
  const project = await CliProject.create({ ...studyFiles, 'bin/curl': curl, 'summary.md': '', output: '' });
  await fs.chmod(project.at('bin/curl'), 0o755);
  if (node === undefined) await fs.symlink(process.execPath, project.at('bin/node'));
  else await project.write('bin/node', node);
  await fs.chmod(project.at('bin/node'), 0o755);
  const values = new Map(
    Object.entries(action.inputs).map(([name, input]) => [`inputs.${name}`, inputs[name] ?? input.default]),
  ).set('github.action_repository || github.repository', 'o/r');
  const own = Object.entries(env).map(([name, value]) => [name, values.get(value.slice(4, -3))]);
  expect(own.filter(([, value]) => value === undefined)).toEqual([]);
  const result = await execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], {
    cwd: project.root,
    reject: false,
    env: {
      ...Object.fromEntries(own),
      PATH: `${project.at('bin')}:/usr/bin:/bin`,
      RUNNER_TEMP: project.root,
      GITHUB_ACTION_PATH: repository,
      GITHUB_STEP_SUMMARY: project.at('summary.md'),
      GITHUB_OUTPUT: project.at('output'),
    },
  });
  return { ...result, project };
}

test('the action takes inputs through variables, never as text of its script', () => {
  expect(action.runs.using).toBe('composite');
  expect(run).not.toContain('${{');
  for (const { description } of Object.values(action.inputs)) expect(description).not.toBe('');
});

test('the action judges with the release that it belongs to: the verdicts are in its log, its summary and its output', async () => {
  const { exitCode, stdout, project } = await runAction();
  expect(project.read('curl.log')).toBe(`https://github.com/o/r/releases/download/v${version}/judge.mjs\n`);
  expect(stdout).toContain('c-first    not reproduced');
  expect(project.read('summary.md')).toContain('| c-first: c is best. |');
  const [, name, document = ''] =
    /^(.*)<<end-of-verdicts\n([\s\S]*)\nend-of-verdicts\n$/.exec(project.read('output')) ?? [];
  expect(action.outputs[name ?? '']?.value).toContain('steps.judge.outputs.verdicts');
  expect(JSON.parse(document).claims).toHaveLength(3);
  expect(exitCode).toBe(4);
});

test('the action passes if no claim is contradicted, whatever its files are called', async () => {
  const { exitCode, project } = await runAction({ claims: 'good.yaml', results: 'results file.csv' });
  expect(project.read('summary.md')).toContain('| a-above-b: a is better than b. |');
  expect(exitCode).toBe(0);
});

test('the action fails with what is wrong with a file, and leaves no summary', async () => {
  const { exitCode, stdout, project } = await runAction({ results: '$(touch hacked).csv' });
  expect(stdout).toContain('this file does not exist.');
  expect([exitCode, project.read('summary.md')]).toEqual([2, '']);
  expect(await fs.readdir(project.root)).not.toContain('hacked');
});

test('the action says what to write if there is no such release', async () => {
  const { exitCode, stdout } = await runAction({ version: 'v9.0.0' });
  expect(stdout).toContain(
    '::error::https://github.com/o/r/releases/download/v9.0.0/judge.mjs could not be downloaded. Name a release by the input version',
  );
  expect(exitCode).toBe(2);
});

test('the action asks for a newer Node.js if the runner’s is too old', async () => {
  const { exitCode, stdout, project } = await runAction({}, '#!/bin/bash\necho 18\n');
  expect(stdout).toContain('::error::This action needs Node.js 20 or later');
  expect(await fs.readdir(project.root)).not.toContain('curl.log');
  expect(exitCode).toBe(2);
});
