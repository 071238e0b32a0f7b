import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { verifyStore } from '../../src/runner/store/verify-store.ts';
import { filesBelow } from './rig/crash/checks.ts';
import { createProject, eventOf, type Project } from './rig/project.ts';

/** A stage that has written `one` and `two` to artifacts/s, and `more` to artifacts/m. */
async function createRun(): Promise<Project> {
  const project = await createProject();
  const script =
    'mkdir "$REPRO_OUTPUT_0"; echo one > "$REPRO_OUTPUT_0/1"; echo two > "$REPRO_OUTPUT_0/2"; echo more > "$REPRO_OUTPUT_1"';
  project.define([{ id: 's', run: ['sh', '-c', script], outputs: ['artifacts/s', 'artifacts/m'] }]);
  expect((await project.run()).ran).toEqual(['s']);
  return project;
}

/** Where the store has a content: absolute. */
function objectOf(project: Project, content: string): string {
  const objects = filesBelow(project.at('artifacts/.cache/store/files'));
  return objects.find((file) => readFileSync(file, 'utf8') === content) ?? '';
}

function damage(file: string, content: string): void {
  chmodSync(file, 0o644);
  writeFileSync(file, content);
}

const again = (name: string) => ({
  level: 'note',
  text: `re-stored from intact outputs: ${name}`,
});

test.each<[string, (project: Project) => void, string]>([
  ['a missing object', (project) => rmSync(objectOf(project, 'two\n')), 'artifacts/s/2'],
  ['an object that was cut off', (project) => damage(objectOf(project, 'two\n'), 'tw'), 'artifacts/s/2'],
  ['the object of a file', (project) => rmSync(objectOf(project, 'more\n')), 'artifacts/m'],
  [
    'the list of a folder',
    (project) => damage(filesBelow(project.at('artifacts/.cache/store/trees'))[0] ?? '', '{}'),
    'artifacts/s',
  ],
])('a run with nothing to do stores %s again, from the output in place', async (_, lose, name) => {
  const project = await createRun();
  lose(project);
  const told = [`store-lost: not in the store: ${name}; a run re-stores it from its intact output`];
  expect(await project.reasonsOf('s')).toEqual(told);
  expect((await project.status())[0]?.state).toBe('fresh');
  expect(eventOf((await project.run({ dryRun: true })).events, 'note', 's').text).toContain(
    told[0]?.slice(12),
  );
  const { ran, cached, events } = await project.run();
  expect({ ran, cached }).toEqual({ ran: [], cached: ['s'] });
  expect(eventOf(events, 'note', 's')).toMatchObject(again(name));
  expect(await project.reasonsOf('s')).toEqual([]);
  await project.remove('artifacts/s');
  await project.remove('artifacts/m');
  expect(await project.run()).toMatchObject({ ran: [], cached: ['s'] });
  expect(['s/1', 's/2', 'm'].map((file) => project.read(`artifacts/${file}`))).toEqual([
    'one\n',
    'two\n',
    'more\n',
  ]);
});

test('damage that only reading shows is found when a file is restored: the stage runs again', async () => {
  const project = await createRun();
  damage(objectOf(project, 'two\n'), 'TWO\n');
  await project.remove('artifacts/s/1');
  const { ran, events } = await project.run();
  expect(ran).toEqual(['s']);
  const text = 'artifacts/s/2: its copy in the store is damaged';
  expect(eventOf(events, 'note', 's')).toMatchObject({ level: 'warning', text });
  expect([project.read('artifacts/s/1'), project.read('artifacts/s/2')]).toEqual(['one\n', 'two\n']);
});

test('an altered output of which the store lacks a file runs again, and the reason says so', async () => {
  const project = await createRun();
  rmSync(objectOf(project, 'two\n'));
  await project.write('artifacts/s/1', 'forged');
  const { ran, events } = await project.run();
  expect(ran).toEqual(['s']);
  expect(eventOf(events, 'started', 's').reasons).toEqual([
    { cue: 'output-altered', text: 'artifacts/s was altered, and not in the store' },
  ]);
  expect(project.read('artifacts/s/1')).toBe('one\n');
});

test('an output that only seems to be intact is not stored: the stage runs again', async () => {
  const project = await createRun();
  rmSync(objectOf(project, 'more\n'));
  await project.write('artifacts/m', 'MORE\n');
  // As a disk would have altered it: the file is remembered as it was.
  const { size, mtimeNs, ctimeNs, ino } = statSync(project.at('artifacts/m'), { bigint: true });
  const record = JSON.parse(project.read('artifacts/.cache/records/s.json'));
  const stamp = [Number(size), ...[mtimeNs, ctimeNs, ino].map(String)];
  const entries = { 'artifacts/m': [...stamp, record.outputs[1].digest] };
  await project.write('artifacts/.cache/digests.json', JSON.stringify({ version: 1, entries }));
  const { ran, events } = await project.run();
  expect(ran).toEqual(['s']);
  expect(eventOf(events, 'note', 's').text).toMatch(
    /^artifacts\/m changed although size and mtime are the same/,
  );
  expect(project.read('artifacts/m')).toBe('more\n');
});

test('a store that cannot take it is warned of, and the output in place still counts', async () => {
  const project = await createRun();
  const folder = path.dirname(objectOf(project, 'more\n'));
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  const { ran, cached, events } = await project.run();
  expect({ ran, cached }).toEqual({ ran: [], cached: ['s'] });
  const { level, text } = eventOf(events, 'note', 's');
  expect(level).toBe('warning');
  expect(text).toContain('could not re-store artifacts/m: ');
});

test('verify reads every file, and mends from what is in place all that the last results need', async () => {
  const project = await createRun();
  const object = objectOf(project, 'two\n');
  damage(object, 'TWO\n');
  const [tree = ''] = filesBelow(project.at('artifacts/.cache/store/trees'));
  const [action = ''] = filesBelow(project.at('artifacts/.cache/actions'));
  rmSync(tree);
  rmSync(action);
  rmSync(objectOf(project, 'more\n'));
  expect(await verifyStore({ projectRoot: project.root })).toMatchObject({
    damaged: [object],
    storedAgain: ['artifacts/m', 'artifacts/s', 'artifacts/s/2'],
    gone: [],
  });
  expect(await verifyStore({ projectRoot: project.root })).toMatchObject({ damaged: [], storedAgain: [] });
  expect(readFileSync(object, 'utf8')).toBe('two\n');
  for (const one of ['s', 'm', '.cache/records']) await project.remove(`artifacts/${one}`);
  expect(await project.run()).toMatchObject({ ran: [], cached: ['s'] });
});

test('verify names what is neither in the store nor in place, and takes no bytes that differ', async () => {
  const project = await createRun();
  rmSync(objectOf(project, 'two\n'));
  rmSync(objectOf(project, 'more\n'));
  await project.write('artifacts/s/2', 'TWO\n');
  await project.remove('artifacts/m');
  mkdirSync(project.at('artifacts/m'));
  expect(await verifyStore({ projectRoot: project.root })).toMatchObject({
    damaged: [],
    storedAgain: [],
    gone: [
      { id: 's', stage: 's', profile: 'test', output: 'artifacts/s' },
      { id: 's', stage: 's', profile: 'test', output: 'artifacts/m' },
    ],
  });
  expect(objectOf(project, 'TWO\n')).toBe('');
});
