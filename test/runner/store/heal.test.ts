import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verifyStore } from '../../../src/runner/store/verify-store.ts';
import { filesBelow } from '../rig/crash/checks.ts';
import { createProject, eventOf, type Project } from '../rig/project.ts';

const folderOf = (...contents: readonly string[]): string =>
  `mkdir "$REPRO_OUTPUT_0"; cd "$REPRO_OUTPUT_0"; ${contents.map((one, i) => `echo ${one} > ${i + 1}`).join('; ')}`;

/** A project whose stages, by id, have run; each has the output artifacts/<id>, and those given besides. */
async function createRun(
  scripts: Readonly<Record<string, string>>,
  others: readonly string[] = [],
): Promise<Project> {
  const project = await createProject();
  await project.write('in.txt', 'input');
  const stages = Object.entries(scripts).map(([id, script]) => ({
    id,
    run: ['sh', '-c', script],
    inputs: ['in.txt'],
    outputs: [`artifacts/${id}`, ...others],
  }));
  project.define(stages);
  expect((await project.run()).ran.toSorted()).toEqual(Object.keys(scripts));
  return project;
}

/** Stage `s` has written `one` and `two` to artifacts/s, and `more` to artifacts/m. */
const createOne = () =>
  createRun({ s: `(${folderOf('one', 'two')}); echo more > "$REPRO_OUTPUT_1"` }, ['artifacts/m']);

const inCache = (project: Project, folder: string): string[] =>
  filesBelow(project.at('artifacts/.cache', folder));

/** Where the store has a content: absolute. */
const objectOf = (project: Project, content: string): string =>
  inCache(project, 'store/files').find((file) => readFileSync(file, 'utf8') === content) ?? '';

function damage(file: string, content: string): void {
  chmodSync(file, 0o644);
  writeFileSync(file, content);
}

const verify = (project: Project) => verifyStore({ projectRoot: project.root });

test('verify stores an output again with the modes of the record', async () => {
  const make = 'mkdir "$REPRO_OUTPUT_0"; cd "$REPRO_OUTPUT_0"; echo one > 1; echo two > 2; chmod +x 1';
  const project = await createRun({ s: make });
  rmSync(objectOf(project, 'two\n'));
  chmodSync(project.at('artifacts/s/1'), 0o644);
  chmodSync(project.at('artifacts/s/2'), 0o755);
  await verify(project);
  expect(await project.reasonsOf('s')).toEqual([]);
  await project.remove('artifacts/s');
  expect(await project.run()).toMatchObject({ ran: [], cached: ['s'] });
  const isExecutable = (name: string): boolean =>
    (statSync(project.at('artifacts/s', name)).mode & 0o100) !== 0;
  expect(['1', '2'].map(isExecutable)).toEqual([true, false]);
});

describe('a stage runs again', () => {
  test('if only reading shows that an object is damaged, which its output needs', async () => {
    const project = await createOne();
    damage(objectOf(project, 'two\n'), 'TWO\n');
    await project.remove('artifacts/s/1');
    const { ran, events } = await project.run();
    expect(ran).toEqual(['s']);
    const text = 'artifacts/s/2: its copy in the store is damaged';
    expect(eventOf(events, 'note', 's')).toMatchObject({ level: 'warning', text });
    await project.remove('artifacts/s');
    expect(await project.run()).toMatchObject({ ran: [], cached: ['s'] });
    expect([project.read('artifacts/s/1'), project.read('artifacts/s/2')]).toEqual(['one\n', 'two\n']);
  });

  test('if the store lacks a file of an altered output, and the reason says so', async () => {
    const project = await createOne();
    rmSync(objectOf(project, 'two\n'));
    await project.write('artifacts/s/1', 'forged');
    const { ran, events } = await project.run();
    expect(ran).toEqual(['s']);
    const reasons = [{ cue: 'output-altered', text: 'artifacts/s was altered, and not in the store' }];
    expect(eventOf(events, 'started', 's').reasons).toEqual(reasons);
    expect(project.read('artifacts/s/1')).toBe('one\n');
  });

  test.each(['store/files', 'store/trees'])('if everything in %s is empty', async (folder) => {
    const project = await createRun({ s: folderOf('one', 'two') });
    for (const file of inCache(project, folder)) damage(file, '');
    await project.remove('artifacts/s');
    const reasons = ['output-missing: artifacts/s is missing, and not in the store'];
    expect(await project.reasonsOf('s')).toEqual(reasons);
    expect((await project.run()).ran).toEqual(['s']);
    expect(project.read('artifacts/s/2')).toBe('two\n');
  });

  test.each([
    '',
    '{"version":1',
    'null',
    '{"version":1,"id":"s","fingerprint":"f","parts":{},"metrics":{},"outputs":[3]}',
    '{"version":1,"id":"s","fingerprint":"f","parts":{"version":1},"metrics":{},"outputs":[]}',
    '{"version":2,"id":"s"}',
  ])('if its records hold %j', async (content) => {
    const project = await createRun({ s: folderOf('one') });
    for (const file of ['records', 'actions'].flatMap((one) => inCache(project, one))) damage(file, content);
    expect(await project.run()).toMatchObject({ outcome: 'ok', ran: ['s'] });
    expect((await project.run()).ran).toEqual([]);
  });

  test('if the cache was deleted', async () => {
    const project = await createRun({ s: folderOf('one') });
    await project.remove('artifacts/.cache');
    expect((await project.run()).ran).toEqual(['s']);
  });
});

describe('nothing runs again', () => {
  test.each(['', '{', '[]', '{"version":1,"entries":{"in.txt":[5,"1"]}}'])(
    'if digests.json contains %j',
    async (content) => {
      const project = await createRun({ s: folderOf('one') });
      damage(project.at('artifacts/.cache/digests.json'), content);
      expect(await project.run()).toMatchObject({ outcome: 'ok', ran: [] });
    },
  );

  test('if a last record is lost: the one of the fingerprint tells', async () => {
    const project = await createRun({ s: folderOf('one') });
    await project.remove('artifacts/.cache/records');
    expect((await project.run()).ran).toEqual([]);
    expect((await project.status())[0]?.record?.id).toBe('s');
  });

  test('if bundled code is damaged', async () => {
    const project = await createProject();
    await project.write(
      'stages/s.ts',
      "import { writeFileSync } from 'node:fs';\nexport default { summary: '', async run({ outputs }) { writeFileSync(outputs[0], 'made'); } };",
    );
    project.define([{ id: 's', run: 'stages/s.ts', outputs: ['artifacts/s'] }]);
    await project.run();
    const closure = '{"version":1,"compiler":"0","bundle":"x","files":{"a":{}}}';
    for (const file of inCache(project, 'code')) damage(file, closure);
    expect((await project.run()).ran).toEqual([]);
    expect((await project.run({ force: true })).outcome).toBe('ok');
  });

  test('if a killed run left incomplete files, which go', async () => {
    const project = await createRun({ s: folderOf('one') });
    await project.write('artifacts/.cache/tmp/999-dead/s/output-0/half', 'half');
    expect((await project.run()).ran).toEqual([]);
    expect(readdirSync(project.at('artifacts/.cache/tmp'))).toEqual([]);
  });
});

describe('verify', () => {
  test('reads every file, and mends from what is in place all that the last results need', async () => {
    const project = await createOne();
    const object = objectOf(project, 'two\n');
    damage(object, 'TWO\n');
    rmSync(inCache(project, 'store/trees')[0] ?? '');
    rmSync(objectOf(project, 'more\n'));
    expect(await verify(project)).toMatchObject({
      damaged: [object],
      storedAgain: ['artifacts/m', 'artifacts/s'],
      gone: [],
    });
    expect(await verify(project)).toMatchObject({ damaged: [], storedAgain: [] });
    expect(readFileSync(object, 'utf8')).toBe('two\n');
    for (const one of ['s', 'm']) await project.remove(`artifacts/${one}`);
    expect(await project.run()).toMatchObject({ ran: [], cached: ['s'] });
  });

  test.each(['to nothing', 'to itself'])(
    'removes a link that leads %s, and mends the rest',
    async (where) => {
      const project = await createOne();
      const object = objectOf(project, 'two\n');
      const damaged = objectOf(project, 'one\n');
      damage(damaged, 'ONE\n');
      rmSync(object);
      symlinkSync(where === 'to itself' ? object : project.at('nothing'), object);
      expect(await verify(project)).toMatchObject({
        damaged: [object, damaged].sort(),
        storedAgain: ['artifacts/s'],
      });
      expect(readFileSync(object, 'utf8')).toBe('two\n');
    },
  );

  test('names what is neither in the store nor in place, and takes no bytes that differ', async () => {
    const project = await createOne();
    for (const content of ['two\n', 'more\n']) rmSync(objectOf(project, content));
    await project.write('artifacts/s/2', 'TWO\n');
    await project.remove('artifacts/m');
    mkdirSync(project.at('artifacts/m'));
    const gone = ['artifacts/s', 'artifacts/m'].map((output) => ({
      id: 's',
      stage: 's',
      profile: 'test',
      output,
    }));
    expect(await verify(project)).toMatchObject({ damaged: [], storedAgain: [], gone });
    expect(objectOf(project, 'TWO\n')).toBe('');
  });

  test('needs one intact output with a content that several have', async () => {
    const same = 'echo same > "$REPRO_OUTPUT_0"';
    const project = await createRun({ a: same, b: same });
    rmSync(objectOf(project, 'same\n'));
    await project.write('artifacts/a', 'SAME\n');
    expect(await verify(project)).toMatchObject({ storedAgain: ['artifacts/b'], gone: [] });
    expect(readFileSync(objectOf(project, 'same\n'), 'utf8')).toBe('same\n');
  });
});

describe('a file system that refuses', () => {
  test.skipIf(process.getuid?.() === 0)('to hold the cache is reported with its path', async () => {
    const project = await createRun({ s: folderOf('one') });
    chmodSync(project.at('artifacts/.cache/lock'), 0o555);
    await expect(project.run()).rejects.toMatchObject({ code: 'disk-eacces' });
    // Or the project could not be removed.
    chmodSync(project.at('artifacts/.cache/lock'), 0o755);
  });

  test('to be a folder where an output belongs fails the stage, but the work is kept', async () => {
    const project = await createProject();
    await project.write('artifacts/file', 'not a folder');
    project.define([{ id: 's', sh: 'echo x > "$REPRO_OUTPUT_0"', outputs: ['artifacts/file/s'] }]);
    const { outcome, events } = await project.run();
    expect(outcome).toBe('failed');
    const { code, text } = eventOf(events, 'failed', 's');
    expect(code).toBe('output-blocked');
    expect(text).toBe(
      `${project.at('artifacts/file')}  expected a folder, found a file.\n  Move it away or delete it, then run again: finished work is kept.`,
    );
    expect(await project.reasonsOf('s')).toEqual(['output-missing: artifacts/file/s is missing']);
    await project.remove('artifacts/file');
    expect(await project.run()).toMatchObject({ outcome: 'ok', ran: [] });
  });
});
