import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { collectGarbage } from '../../../src/runner/extras/gc.ts';
import { listAside } from '../rig/crash/checks.ts';
import { createProject, eventOf, type Project } from '../rig/project.ts';

/** `folder` makes a folder of two files, `file` a single file; both hold the version. */
function define(project: Project, version: number): void {
  const stage = (id: string, sh: string) => ({ id, sh, params: { version } });
  project.define([
    stage(
      'folder',
      'mkdir -p "$REPRO_OUTPUT_0/in"; echo "$REPRO_PARAMS" > "$REPRO_OUTPUT_0/in/x"; echo y > "$REPRO_OUTPUT_0/y"',
    ),
    stage('file', 'echo "$REPRO_PARAMS" > "$REPRO_OUTPUT_0"'),
  ]);
}

async function createRun(): Promise<Project> {
  const project = await createProject();
  define(project, 1);
  expect((await project.run()).outcome).toBe('ok');
  return project;
}

/** What a person changes in the outputs -> what is set aside, and its content. */
const changes: Readonly<
  Record<string, [change: (project: Project) => Promise<void>, aside: [file: string, content: string]]>
> = {
  'a file added to a folder': [
    (project) => project.write('artifacts/folder/deep/notes', 'mine'),
    ['folder/deep/notes', 'mine'],
  ],
  'a file of a folder edited': [
    (project) => project.write('artifacts/folder/in/x', 'mine'),
    ['folder/in/x', 'mine'],
  ],
  'a file edited that is an output': [(project) => project.write('artifacts/file', 'mine'), ['file', 'mine']],
  'a folder in place of a file': [
    (project) => replace(project, 'artifacts/file', 'artifacts/file/notes'),
    ['file/notes', 'mine'],
  ],
  'a file in place of a folder': [
    (project) => replace(project, 'artifacts/folder', 'artifacts/folder'),
    ['folder', 'mine'],
  ],
  'a link, whose target stays': [
    async (project) => {
      await project.write('mine/notes', 'mine');
      await fs.symlink('../../mine', project.at('artifacts/folder/link'));
    },
    ['folder/link', '../../mine'],
  ],
  'a link to nothing': [
    (project) => fs.symlink('nothing', project.at('artifacts/folder/link')),
    ['folder/link', 'nothing'],
  ],
};

async function replace(project: Project, output: string, file: string): Promise<void> {
  await project.remove(output);
  await project.write(file, 'mine');
}

async function expectAside(
  change: (project: Project) => Promise<void>,
  [file, content]: readonly [string, string],
  version: number,
): Promise<void> {
  const project = await createRun();
  await change(project);
  define(project, version);
  const { outcome, events } = await project.run();
  expect(outcome).toBe('ok');
  expect(listAside(project.root)).toEqual({ [`1/artifacts/${file}`]: content });
  const { id, text } = eventOf(events, 'note');
  expect(id).toBe(file.split('/')[0]);
  expect(text).toMatch(
    /^set aside in artifacts\/\.set-aside\/\d{4}-\d\d-\d\d-1: artifacts\/[\w/]+\. No recorded run/,
  );
  expect((await project.status()).map(({ state }) => state)).toEqual(['fresh', 'fresh']);
  expect((await project.run()).events.map(({ kind }) => kind)).not.toContain('note');
}

test.each(Object.entries(changes))('%s is set aside when its output is restored', (_, [change, aside]) =>
  expectAside(change, aside, 1),
);

test('a file added to a folder is set aside when its output is made again', () =>
  expectAside((project) => project.write('artifacts/folder/notes', 'mine'), ['folder/notes', 'mine'], 2));

describe('what runs wrote', () => {
  test('is never set aside, whichever of them it was, and wherever it was copied', async () => {
    const project = await createRun();
    define(project, 2);
    await project.run();
    await fs.cp(project.at('artifacts/folder/in'), project.at('artifacts/folder/copy'), { recursive: true });
    for (const version of [1, 2, 3, 1]) {
      define(project, version);
      await project.run();
    }
    expect(project.has('artifacts/.set-aside')).toBe(false);
  });

  test('is not set aside either if a forced run of the same work writes something else', async () => {
    const project = await createProject();
    const script = 'date +%N > "$REPRO_OUTPUT_0"';
    project.define([{ id: 's', sh: script }]);
    await project.run();
    const before = project.read('artifacts/s');
    const { events } = await project.run({ force: true });
    expect(project.read('artifacts/s')).not.toBe(before);
    expect(events.map(({ kind }) => kind)).not.toContain('note');
    expect(project.has('artifacts/.set-aside')).toBe(false);
  });
});

test('what a run wrote is set aside if the store has only a part of it', async () => {
  const project = await createRun();
  const content = project.read('artifacts/file');
  const store = project.at('artifacts/.cache/store/files');
  for (const { parentPath, name } of readdirSync(store, { withFileTypes: true, recursive: true })) {
    const object = path.join(parentPath, name);
    if (!lstatSync(object).isFile() || readFileSync(object, 'utf8') !== content) continue;
    await fs.chmod(object, 0o600);
    await fs.truncate(object, 1);
  }
  define(project, 2);
  await project.run();
  expect(Object.values(listAside(project.root))).toEqual([content, content]);
});

test('what was set aside stays through garbage collection, and the next time gets a folder of its own', async () => {
  const project = await createRun();
  for (const text of ['one', 'two']) {
    await project.write('artifacts/file', text);
    await project.run();
    await collectGarbage({ projectRoot: project.root, isDryRun: false });
  }
  expect(listAside(project.root)).toEqual({ '1/artifacts/file': 'one', '2/artifacts/file': 'two' });
});

test.runIf(process.platform === 'linux')(
  'a folder with a name that is not UTF-8 is set aside as a whole',
  async () => {
    const project = await createRun();
    await fs.writeFile(Buffer.from(`${project.at('artifacts/folder')}/caf\xe9`, 'latin1'), 'mine');
    const { events } = await project.run();
    expect(eventOf(events, 'note', 'folder').text).toContain('-1: artifacts/folder.');
    const [place = ''] = readdirSync(project.at('artifacts/.set-aside'));
    const folder = project.at('artifacts/.set-aside', place, 'artifacts/folder');
    expect(readdirSync(folder, { encoding: 'latin1' }).sort()).toEqual(['caf\xe9', 'in', 'y']);
  },
);
