import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createProject, eventOf, type Project } from './rig/project.ts';

async function createRun(): Promise<Project> {
  const project = await createProject();
  await project.write('in.txt', 'input');
  project.define([
    {
      id: 's',
      run: [
        'sh',
        '-c',
        'echo x >> counts/s; mkdir "$REPRO_OUTPUT_0"; echo one > "$REPRO_OUTPUT_0/1"; echo two > "$REPRO_OUTPUT_0/2"',
      ],
      inputs: ['in.txt'],
      outputs: ['artifacts/s'],
    },
  ]);
  await project.run();
  return project;
}

function filesBelow(project: Project, folder: string): string[] {
  const root = project.at('artifacts/.cache', folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function damage(file: string, content: string): void {
  chmodSync(file, 0o644);
  writeFileSync(file, content);
}

describe('the next run heals', () => {
  test.each(['', '{', '[]', '{"version":1,"entries":{"in.txt":[5,"1"]}}'])(
    'digests.json that contains %j',
    async (content) => {
      const project = await createRun();
      damage(project.at('artifacts/.cache/digests.json'), content);
      expect(await project.run()).toMatchObject({ outcome: 'ok', ran: [] });
    },
  );

  test.each([
    '',
    '{"version":1',
    'null',
    '{"version":1,"id":"s","fingerprint":"f","parts":{},"metrics":{},"outputs":[3]}',
    '{"version":1,"id":"s","fingerprint":"f","parts":{"version":1},"metrics":{},"outputs":[]}',
    '{"version":2,"id":"s"}',
  ])('records that hold %j', async (content) => {
    const project = await createRun();
    for (const file of [...filesBelow(project, 'records'), ...filesBelow(project, 'actions')])
      damage(file, content);
    expect(await project.run()).toMatchObject({ outcome: 'ok', ran: ['s'] });
    expect((await project.run()).ran).toEqual([]);
  });

  test('a lost last record, from the record of the fingerprint', async () => {
    const project = await createRun();
    await project.remove('artifacts/.cache/records');
    expect((await project.run()).ran).toEqual([]);
    expect((await project.status())[0]?.record?.id).toBe('s');
  });

  test('a store cut off where it is not needed, by storing it again', async () => {
    const project = await createRun();
    for (const file of filesBelow(project, 'store/files')) damage(file, 'x');
    expect((await project.run()).ran).toEqual([]);
    const objects = filesBelow(project, 'store/files').map((file) => readFileSync(file, 'utf8'));
    expect(objects).toEqual(expect.arrayContaining(['one\n', 'two\n']));
  });

  test('a damaged object in the store by running the stage, and says so', async () => {
    const project = await createRun();
    const object =
      filesBelow(project, 'store/files').find((file) => readFileSync(file, 'utf8') === 'two\n') ?? '';
    damage(object, 'TWO\n');
    await project.remove('artifacts/s');
    const { outcome, ran, events } = await project.run();
    expect({ outcome, ran }).toEqual({ outcome: 'ok', ran: ['s'] });
    expect(eventOf(events, 'note', 's').text).toContain('its copy in the store is damaged');
    await project.remove('artifacts/s');
    expect(await project.run()).toMatchObject({ ran: [], cached: ['s'] });
    expect(project.read('artifacts/s/2')).toBe('two\n');
  });

  test('a truncated or missing object, or list of files, by running the stage', async () => {
    for (const folder of ['store/files', 'store/trees']) {
      const project = await createRun();
      for (const file of filesBelow(project, folder)) damage(file, '');
      await project.remove('artifacts/s');
      expect(await project.reasonsOf('s')).toEqual([
        'output-missing: artifacts/s is missing, and not in the store',
      ]);
      expect((await project.run()).ran).toEqual(['s']);
      expect(project.read('artifacts/s/2')).toBe('two\n');
    }
  });

  test('a cache that was deleted, by running everything', async () => {
    const project = await createRun();
    await project.remove('artifacts/.cache');
    expect((await project.run()).ran).toEqual(['s']);
  });

  test('bundled code that is damaged', async () => {
    const project = await createProject();
    await project.write(
      'stages/s.ts',
      "import { writeFileSync } from 'node:fs';\nexport default { summary: '', async run({ outputs }) { writeFileSync(outputs[0], 'made'); } };",
    );
    project.define([{ id: 's', run: 'stages/s.ts', outputs: ['artifacts/s'] }]);
    await project.run();
    for (const file of filesBelow(project, 'code'))
      damage(file, '{"version":1,"compiler":"0","bundle":"x","files":{"a":{}}}');
    expect((await project.run()).ran).toEqual([]);
    expect((await project.run({ force: true })).outcome).toBe('ok');
  });

  test('the leftovers of a killed run', async () => {
    const project = await createRun();
    await project.write('artifacts/.cache/tmp/999-dead/s/output-0/half', 'half');
    await project.run();
    expect(readdirSync(project.at('artifacts/.cache/tmp'))).toEqual([]);
  });
});

/** In memory, so on another disk than temporary folders; undefined where both are the same. */
const otherDisk =
  existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync(os.tmpdir()).dev ? '/dev/shm' : undefined;

describe.skipIf(otherDisk === undefined)('a cache on another disk than the outputs', () => {
  test('works, and the next replacement removes what a killed one left beside an output', async () => {
    const project = await createRun();
    const cacheRoot = mkdtempSync(path.join(otherDisk ?? '', 'repro-cache-'));
    onTestFinished(() => rmSync(cacheRoot, { recursive: true, force: true }));
    expect((await project.run({ cacheRoot })).ran).toEqual(['s']);
    await project.write('in.txt', 'other input');
    expect((await project.run({ cacheRoot })).ran).toEqual(['s']);
    await project.remove('artifacts/s/2');
    expect((await project.run({ cacheRoot })).cached).toEqual(['s']);
    expect(project.read('artifacts/s/2')).toBe('two\n');
    const visible = () => readdirSync(project.at('artifacts')).filter((name) => name !== '.cache');
    expect(visible()).toEqual(['s']);

    for (const name of ['.s.old', 's.partial']) await project.write(`artifacts/${name}/1`, 'one');
    await project.remove('artifacts/s/1');
    expect((await project.run({ cacheRoot })).cached).toEqual(['s']);
    expect(visible()).toEqual(['s']);
    expect(readdirSync(path.join(cacheRoot, 'tmp'))).toEqual([]);
  });
});

describe('a file system that refuses', () => {
  test.skipIf(process.getuid?.() === 0)('to hold the cache is reported with its path', async () => {
    const project = await createRun();
    chmodSync(project.at('artifacts/.cache/lock'), 0o555);
    await expect(project.run()).rejects.toMatchObject({ code: 'disk-eacces' });
  });

  test('to be a folder where an output belongs fails the stage, but the work is kept', async () => {
    const project = await createProject();
    await project.write('artifacts/file', 'not a folder');
    project.define([
      { id: 's', run: ['sh', '-c', 'echo x > "$REPRO_OUTPUT_0"'], outputs: ['artifacts/file/s'] },
    ]);
    const { outcome, events } = await project.run();
    expect(outcome).toBe('failed');
    const { code, text } = eventOf(events, 'failed', 's');
    expect(code).toBe('output-blocked');
    expect(text).toBe(
      `${project.at('artifacts/file')}  is not a folder, but output "s" belongs in it\n  Move it away or delete it, then run again: finished work is kept.`,
    );
    expect(await project.reasonsOf('s')).toEqual(['output-missing: artifacts/file/s is missing']);
    await project.remove('artifacts/file');
    expect(await project.run()).toMatchObject({ outcome: 'ok', ran: [] });
  });
});
