import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { verifyStore } from '../../../src/runner/store/verify-store.ts';
import { filesBelow } from '../rig/crash/checks.ts';
import { createProject, eventOf, type Project } from '../rig/project.ts';

/** Which path cannot be listed, as if it belonged to somebody else: those who run tests may be allowed everything. */
const refused = vi.hoisted(() => ({ path: '' }));

vi.mock('node:fs', async (importOriginal) => {
  const { default: real } = await importOriginal<{ default: typeof import('node:fs') }>();
  const readdir = (...args: Parameters<typeof real.readdirSync>) => {
    if (args[0] === refused.path) {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES', path: refused.path });
    }
    return real.readdirSync(...args);
  };
  const faulty = { ...real, readdirSync: readdir };
  return { ...faulty, default: faulty };
});

/** Stages `a` and `b`: the first writes a folder of files, the second one file or a folder. */
async function createTwo(a: string, b: string): Promise<Project> {
  const project = await createProject();
  project.define([
    { id: 'a', run: ['sh', '-c', a], outputs: ['artifacts/a'] },
    { id: 'b', run: ['sh', '-c', b], outputs: ['artifacts/b'] },
  ]);
  expect((await project.run()).ran).toEqual(['a', 'b']);
  return project;
}

/** Where the store has a content: absolute. */
function objectOf(project: Project, content: string): string {
  const objects = filesBelow(project.at('artifacts/.cache/store/files'));
  return objects.find((file) => readFileSync(file, 'utf8') === content) ?? '';
}

const folderOf = (...contents: readonly string[]): string =>
  `mkdir "$REPRO_OUTPUT_0"; cd "$REPRO_OUTPUT_0"; ${contents.map((one, i) => `echo ${one} > ${i + 1}`).join('; ')}`;

test('verify needs one intact output with a content that several have', async () => {
  const project = await createTwo('echo same > "$REPRO_OUTPUT_0"', 'echo same > "$REPRO_OUTPUT_0"');
  rmSync(objectOf(project, 'same\n'));
  await project.write('artifacts/a', 'SAME\n');
  const found = { storedAgain: ['artifacts/b'], gone: [], unsettled: [] };
  expect(await verifyStore({ projectRoot: project.root })).toMatchObject(found);
  expect(readFileSync(objectOf(project, 'same\n'), 'utf8')).toBe('same\n');
});

test('verify tells what it removed and mends the rest, also if one output cannot be read', async () => {
  const project = await createTwo(folderOf('one', 'two'), folderOf('three'));
  const damaged = objectOf(project, 'one\n');
  chmodSync(damaged, 0o644);
  writeFileSync(damaged, 'ONE\n');
  rmSync(objectOf(project, 'two\n'));
  rmSync(objectOf(project, 'three\n'));
  refused.path = project.at('artifacts/b');
  try {
    expect(await verifyStore({ projectRoot: project.root })).toMatchObject({
      damaged: [damaged],
      storedAgain: ['artifacts/a/1', 'artifacts/a/2'],
      gone: [],
      unsettled: [
        { path: 'artifacts/b', problem: 'could not be read: permission is denied (EACCES): artifacts/b' },
      ],
    });
  } finally {
    refused.path = '';
  }
  expect(await verifyStore({ projectRoot: project.root })).toMatchObject({
    damaged: [],
    storedAgain: ['artifacts/b/1'],
    unsettled: [],
  });
});

test('a run notices that the list of a folder of very many files is lost', async () => {
  const many = 'mkdir "$REPRO_OUTPUT_0"; cd "$REPRO_OUTPUT_0"; seq 1001 | xargs touch';
  const project = await createTwo(many, 'echo b > "$REPRO_OUTPUT_0"');
  const [list = ''] = filesBelow(project.at('artifacts/.cache/store/trees'));
  rmSync(list);
  const { events, ran } = await project.run();
  expect(ran).toEqual([]);
  expect(eventOf(events, 'note', 'a').text).toBe('re-stored from intact outputs: artifacts/a');
  expect(readdirSync(project.at('artifacts/a'))).toHaveLength(1001);
  expect(filesBelow(project.at('artifacts/.cache/store/trees'))).toEqual([list]);
});

test('status says that a record was cut off, and verify whose it was, once nothing else tells of that run', async () => {
  const project = await createTwo('echo a > "$REPRO_OUTPUT_0"', 'echo b > "$REPRO_OUTPUT_0"');
  const cutOff = (file: string): void => writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
  cutOff(project.at('artifacts/.cache/records/a.json'));
  // The record under its fingerprint still tells.
  expect((await project.status())[0]?.state).toBe('fresh');
  for (const file of filesBelow(project.at('artifacts/.cache/actions')))
    if (readFileSync(file, 'utf8').includes('"id": "a"')) cutOff(file);
  expect((await project.status())[0]?.state).toBe('stale');
  expect(await project.reasonsOf('a')).toEqual([
    'record: its record is damaged, so what it was made from is unknown',
  ]);
  const found = await verifyStore({ projectRoot: project.root });
  expect(found).toMatchObject({ lostRecords: ['a'], lostSources: [], gone: [] });
  expect(found.damaged).toHaveLength(2);
  expect((await project.status())[0]?.state).toBe('never-run');
  expect((await project.run()).ran).toEqual(['a']);
});

test('verify tells no loss of a record that another one makes up for', async () => {
  const project = await createTwo('echo a > "$REPRO_OUTPUT_0"', 'echo b > "$REPRO_OUTPUT_0"');
  writeFileSync(project.at('artifacts/.cache/records/a.json'), '{');
  const found = await verifyStore({ projectRoot: project.root });
  expect(found).toMatchObject({ lostRecords: [] });
  expect(found.damaged).toHaveLength(1);
  expect(await project.run()).toMatchObject({ ran: [], cached: ['a', 'b'] });
});
