import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FactFinder } from '../../src/runner/freshness/fingerprint.ts';
import { toToolCommand } from '../../src/runner/plan/instances.ts';
import { createProject } from './rig/project.ts';
import type { ProjectFolder } from './rig/project-folder.ts';
import { createStagesProject } from './rig/stages-project.ts';

async function makeTool(project: ProjectFolder, name: string, script: string): Promise<void> {
  await project.write(name, `#!/bin/sh\n${script}\n`);
  chmodSync(project.at(name), 0o755);
}

const at = { file: 'pipeline.yaml', line: 5, column: 9 };

test('a program is asked with --version, and a whole command as it is', () => {
  expect(toToolCommand('python3')).toEqual(['python3', '--version']);
  expect(toToolCommand(' java  -version ')).toEqual(['java', '-version']);
  expect(toToolCommand(['my tool'])).toEqual(['my tool', '--version']);
  expect(toToolCommand(['my tool', '-v'])).toEqual(['my tool', '-v']);
});

/** What asks for versions, each once, as an instance with these variables does. */
function createFinder({ root }: ProjectFolder, environment: NodeJS.ProcessEnv = process.env) {
  const finder = new FactFinder({}, root, environment);
  return async (command: readonly string[], variables: readonly string[] = []): Promise<string> => {
    const tools = [{ command, at }];
    const found = await finder.find({ id: 's', stage: 's', params: {}, facts: [], tools, variables, at });
    return Object.values(found).join();
  };
}

describe('the version of a tool', () => {
  /** Asks a shell script that consists of these lines. */
  async function ask(script: string, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
    const project = await createProject();
    await makeTool(project, 'tool', script);
    return createFinder(project, environment)(['./tool', '--version']);
  }

  test.each([
    ["printf '\\n  Tool 1.2 (x) \\nmore\\n'; echo other >&2", 'Tool 1.2 (x)'],
    ['echo "openjdk 17" >&2', 'openjdk 17'],
    ['echo "$1 [$SECRET]"', '--version []'],
    ["head -c 300 /dev/zero | tr '\\0' a", `${'a'.repeat(199)}…`],
  ])('of %j is the first line that it prints', async (script, version) => {
    expect(await ask(script, { ...process.env, SECRET: 'x' })).toBe(version);
  });

  test.each([
    ['exit 0', '"./tool --version" prints nothing'],
    [
      'echo "unknown option" >&2; exit 3',
      '"./tool --version" cannot be asked: Command failed with exit code 3: ./tool --version',
    ],
  ])('of %j is an error with place and remedy', async (script, text) => {
    await expect(ask(script)).rejects.toMatchObject({
      code: 'tool-version',
      where: 'pipeline.yaml:5:9',
      message: text,
      fix: expect.stringContaining('correct `tools:`'),
    });
  });

  test('is asked for once, however many stages name it, and a missing program is an error', async () => {
    const project = await createProject();
    await makeTool(project, 'tool', 'echo x >> counts/tool; echo 1');
    const find = createFinder(project);
    const tool = ['./tool', '--version'];
    expect(await Promise.all([find(tool), find(tool)])).toEqual(['1', '1']);
    expect(project.count('tool')).toBe(1);
    await expect(find(['no-such-tool', 'v'])).rejects.toThrow(
      '"no-such-tool v" cannot be asked: Command failed with ENOENT: no-such-tool v',
    );
  });

  test('is that of the program which the stage would find, and may differ between stages', async () => {
    const project = await createProject();
    await makeTool(project, 'tool', 'echo x >> counts/tool; echo "$VARIANT"');
    const find = createFinder(project, { ...process.env, VARIANT: 'gpu' });
    const tool = ['./tool', '--version'];
    for (let i = 0; i < 2; i += 1) expect(await find(tool, ['VARIANT'])).toBe('gpu');
    expect(project.count('tool')).toBe(1);
    await expect(find(tool)).rejects.toThrow('prints nothing');
  });
});

test('a stage is stale after a change of a version, which explain names; one that cannot be asked for is an error', async () => {
  const project = await createStagesProject(
    'draw:\n  cmd: [sh, -c, "echo > $REPRO_OUTPUT_0"]\n  tools: ["./plotter -v", ["./the plotter", -v]]\n  outputs: [artifacts/draw]\n',
  );
  await makeTool(project, 'plotter', 'echo plotter 1.0');
  await makeTool(project, 'the plotter', 'echo the plotter 1');
  expect((await project.call(['run'])).exitCode).toBe(0);
  expect((await project.call(['status'])).stdout).toContain('up to date');
  await makeTool(project, 'plotter', 'echo plotter 1.1');
  expect((await project.call(['explain', 'draw'])).stdout).toContain(
    '  ./plotter -v: plotter 1.0 → plotter 1.1',
  );
  await project.remove('plotter');
  const { stdout, exitCode } = await project.call(['status']);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/draw {2}error {7}pipeline\.yaml:6:13 {2}"\.\/plotter -v" cannot be asked/);
  await project.edit('pipeline.yaml', '"./plotter -v"', '""');
  expect((await project.call(['status'])).stderr).toContain('pipeline.yaml:6:13');
});
