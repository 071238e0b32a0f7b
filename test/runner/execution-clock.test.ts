import { readFileSync, utimesSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { filesBelow } from './rig/crash/checks.ts';
import { repro } from './rig/crash/project.ts';
import { createProject, type Project } from './rig/project.ts';

const daySeconds = 86_400;

async function createRun(): Promise<Project> {
  const project = await createProject();
  await project.write('in.txt', 'one');
  await project.write(
    'pipeline.yaml',
    'version: 1\nstages:\n  s:\n    cmd: [sh, -c, \'cat in.txt > "$REPRO_OUTPUT_0"\']\n    inputs: [in.txt]\n    outputs: [artifacts/s.txt]\n',
  );
  return project;
}

/** Runs with a clock that shows another time than the file system's. */
async function runAt(project: Project, shiftSeconds: number): Promise<Record<string, string>> {
  const hook = path.join(project.root, 'clock.mjs');
  await writeFile(
    hook,
    `const Real = Date; const shift = ${shiftSeconds * 1000};
     globalThis.Date = class extends Real { constructor(...words) { super(...(words.length ? words : [Real.now() + shift])); } static now() { return Real.now() + shift; } };`,
  );
  const words = ['--import', pathToFileURL(hook).href, repro, 'run', '--json'];
  const { stdout } = await execa(process.execPath, words, { cwd: project.root });
  const { instances } = JSON.parse(stdout) as { instances: { id: string; state: string }[] };
  return Object.fromEntries(instances.map(({ id, state }) => [id, state]));
}

describe('a clock that was set back', () => {
  test('by a day: nothing runs for it, and every change is seen, even one of the same size and time', async () => {
    const project = await createRun();
    expect(await runAt(project, 0)).toEqual({ s: 'finished' });
    expect(await runAt(project, -daySeconds)).toEqual({ s: 'cached' });
    await project.write('in.txt', 'two');
    expect(await runAt(project, -daySeconds)).toEqual({ s: 'finished' });
    expect(project.read('artifacts/s.txt')).toBe('two');
    await project.write('in.txt', 'six');
    expect(await runAt(project, -2 * daySeconds)).toEqual({ s: 'finished' });
    expect(project.read('artifacts/s.txt')).toBe('six');
    expect(await runAt(project, 0)).toEqual({ s: 'cached' });
  });

  test('leaves files from the future, which are read as they are', async () => {
    const project = await createRun();
    await runAt(project, 0);
    const future = Date.now() / 1000 + daySeconds;
    for (const file of filesBelow(project.root)) utimesSync(file, future, future);
    expect(await runAt(project, 0)).toEqual({ s: 'cached' });
    const time = new Date(future * 1000);
    await project.write('in.txt', 'two');
    utimesSync(project.at('in.txt'), time, time);
    expect(await runAt(project, 0)).toEqual({ s: 'finished' });
    await project.write('artifacts/s.txt', 'TWO');
    utimesSync(project.at('artifacts/s.txt'), time, time);
    expect(await runAt(project, 0)).toEqual({ s: 'cached' });
    expect(readFileSync(project.at('artifacts/s.txt'), 'utf8')).toBe('two');
  });
});
