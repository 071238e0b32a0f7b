import { appendFileSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findChangedParts } from '../../src/runner/cluster/cluster-freshness.ts';
import { exist, foldersOf, waitUntilVisible } from '../../src/runner/cluster/file-visibility.ts';
import { TaskEventReader, TaskEventWriter } from '../../src/runner/cluster/task-events.ts';
import { type Batch, BatchFolder } from '../../src/runner/jobs/batch.ts';
import { claim } from '../../src/runner/jobs/claim.ts';
import { findBatches, listBatches } from '../../src/runner/jobs/jobs-folder.ts';
import { readTaskEnd, type TaskEnd, writeTaskEnd } from '../../src/runner/jobs/task-end.ts';
import type { FingerprintParts } from '../../src/runner/store/fingerprint-parts.ts';

let root: string;

beforeEach(async () => {
  root = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-tasks-'));
  onTestFinished(() => fs.rm(root, { recursive: true, force: true }));
});

describe('the events of a task', () => {
  test('are read once each, as they come, in whole lines and whole characters', () => {
    const file = path.join(root, 'events');
    const reader = new TaskEventReader(file, 'a');
    expect(reader.read()).toEqual([]);
    const note = { kind: 'note', id: 'a', level: 'note', text: 'ä💥' } as const;
    const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
    for (let i = 0; i < bytes.length - 1; i += 1) {
      appendFileSync(file, bytes.subarray(i, i + 1));
      expect(reader.read()).toEqual([]);
    }
    appendFileSync(file, '\n');
    expect(reader.read()).toEqual([note]);
    expect(reader.read()).toEqual([]);
  });

  test('are read the next time, where the file system does not give them', () => {
    const file = path.join(root, 'events');
    const reader = new TaskEventReader(file, 'a');
    // It can be opened, and reading it is an error, as it may be on NFS.
    mkdirSync(file);
    expect(reader.read()).toEqual([]);
    rmdirSync(file);
    writeFileSync(file, '{"kind":"interrupted","id":"a"}\n');
    expect(reader.read()).toEqual([{ kind: 'interrupted', id: 'a' }]);
  });

  test('of others, cut off or of an unknown kind are left out', () => {
    const file = path.join(root, 'events');
    const events = [{ kind: 'note', id: 'b' }, { kind: 'run-finished' }, { kind: 'interrupted', id: 'a' }];
    writeFileSync(
      file,
      `{"kind":"note","id":"a"\n${events.map((one) => `${JSON.stringify(one)}\n`).join('')}`,
    );
    expect(new TaskEventReader(file, 'a').read()).toEqual([{ kind: 'interrupted', id: 'a' }]);
  });

  test('are written with little of the progress, and a disk that is full does not matter', () => {
    const file = path.join(root, 'events');
    const writer = new TaskEventWriter(file);
    for (let done = 0; done < 100; done += 1) {
      writer.write({ kind: 'progress', id: 'a', progress: { done, total: 100 } });
    }
    expect(new TaskEventReader(file, 'a').read()).toHaveLength(1);
    new TaskEventWriter(path.join(root, 'none', 'events')).write({ kind: 'interrupted', id: 'a' });
  });
});

test('how a task ended is read whole or not at all', async () => {
  const file = path.join(root, 'end.json');
  const end: TaskEnd = { version: 1, job: '12_3', node: 'n', kind: 'done', fingerprint: 'a'.repeat(64) };
  await writeTaskEnd(file, end);
  expect(readTaskEnd(file)).toEqual(end);
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"version":1}',
    JSON.stringify({ ...end, fingerprint: 'x' }),
    JSON.stringify({ ...end, kind: 'fine' }),
  ]) {
    writeFileSync(file, text);
    expect(readTaskEnd(file)).toBeNull();
  }
  expect(readTaskEnd(path.join(root, 'none'))).toBeNull();
  // There may be one.
  expect(() => readTaskEnd(root)).toThrow('cannot be read (EISDIR');
});

describe('batches', () => {
  const batch: Batch = {
    ...{ version: 1, token: 't', stage: 'a', name: 'a.t', comment: 'repro:t', isArray: false, jobId: '7' },
    ...{ cluster: 'c', owner: { user: 'me', uid: 0 }, submittedAt: '2026-01-01T00:00:00.000Z' },
    selection: { profile: null, set: [] },
    tasks: [{ index: 0, id: 'a' }],
  };

  test('are listed by time; what has none is passed over', async () => {
    await new BatchFolder(path.join(root, 'y')).writeBatch(batch);
    await new BatchFolder(path.join(root, 'x')).writeBatch({
      ...batch,
      submittedAt: '2026-02-01T00:00:00.000Z',
    });
    mkdirSync(path.join(root, 'half', 'tasks'), { recursive: true });
    await new BatchFolder(path.join(root, 'z.removed')).writeBatch(batch);
    writeFileSync(path.join(root, 'run.json'), '{}');
    expect(listBatches(root).map(({ folder }) => path.basename(folder.root))).toEqual(['y', 'x']);
    expect(listBatches(path.join(root, 'none'))).toEqual([]);
  });

  test.each([
    ['', 'is incomplete'],
    ['{"version":', 'is incomplete'],
    ['3', 'is damaged'],
    [JSON.stringify({ ...batch, jobId: 'x; rm' }), 'is damaged'],
    [JSON.stringify({ ...batch, tasks: [{ index: -1, id: 'a' }] }), 'is damaged'],
    [JSON.stringify({ ...batch, version: 2 }), 'is of another version (2)'],
  ])('that are damaged are no reason to go on as if there were none: %s', async (text, said) => {
    await new BatchFolder(path.join(root, 'y')).writeBatch(batch);
    mkdirSync(path.join(root, 'x'));
    writeFileSync(path.join(root, 'x', 'batch.json'), text);
    expect(() => listBatches(root)).toThrow(`job data ${said}`);
    const { batches, problems } = findBatches(root);
    expect(batches).toHaveLength(1);
    expect(problems).toMatchObject([
      { where: path.join(root, 'x', 'batch.json'), fix: expect.stringContaining(path.join(root, 'x')) },
    ]);
  });

  test('that cannot be read are an error; so are their tasks', () => {
    const folder = new BatchFolder(path.join(root, 'x'));
    mkdirSync(folder.batchFile, { recursive: true });
    expect(() => listBatches(root)).toThrow('cannot be read (EISDIR');
    writeFileSync(path.join(root, 'file'), '');
    expect(() => listBatches(path.join(root, 'file'))).toThrow('cannot be read (ENOTDIR');
    mkdirSync(folder.taskFolder(0), { recursive: true });
    expect(folder.readTask(0)).toBeNull();
    writeFileSync(path.join(folder.taskFolder(0), 'task.json'), '{"id":"a","par');
    expect(() => folder.readTask(0)).toThrow('is incomplete');
  });

  test('have the job that has claimed them, where the answer to the submission is not on disk', async () => {
    const folder = new BatchFolder(path.join(root, 'x'));
    await folder.writeBatch({ ...batch, jobId: null });
    expect(folder.readBatch()?.jobId).toBeNull();
    await claim(folder.claimFile, '12');
    expect(folder.readBatch()?.jobId).toBe('12');
  });

  test('are not brought back by what is written about them once they are gone', async () => {
    const folder = new BatchFolder(path.join(root, 'x'));
    await folder.writeBatch(batch);
    await folder.remove();
    const end: TaskEnd = { version: 1, job: '7', node: 'n', kind: 'failed', code: 'cancelled', text: '' };
    await writeTaskEnd(folder.endFile(0), end);
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('what was submitted', () => {
  const parts: FingerprintParts = {
    version: 1,
    command: { kind: 'command', argv: ['x'] },
    ...{
      code: { 'x.py': 'a'.repeat(64) },
      packages: {},
      params: { epochs: 3 },
      matrix: {},
      outputs: ['artifacts/x'],
    },
    inputs: [
      { path: 'data', external: false, digest: 'd1' },
      { path: 'artifacts/y', external: false, digest: null, waitsFor: ['y'] },
    ],
    ...{
      variables: {},
      facts: { engine: 'avx512' },
      runtime: { platform: 'linux', arch: 'x64' },
    },
  };
  const [data, made] = parts.inputs;
  if (data === undefined || made === undefined) throw new Error('two inputs');

  test('is the same on another machine, and once what it waited for is there', async () => {
    const inputs = [data, { path: 'artifacts/y', external: false, digest: 'd2' }];
    const now = { ...parts, inputs, facts: { engine: 'cuda' }, runtime: { ...parts.runtime, arch: 'arm64' } };
    expect(await findChangedParts(parts, now)).toEqual([]);
    expect(await findChangedParts(now, { ...parts, inputs: [data, made] })).toEqual([]);
  });

  test.each([
    [{ code: { 'x.py': 'b'.repeat(64) } }, 'x.py changed'],
    [{ params: { epochs: 4 } }, 'epochs: 3 → 4'],
    [{ inputs: [{ ...data, digest: 'd3' }, made] }, 'data changed'],
    [{ inputs: [data, { ...made, path: 'artifacts/z' }] }, 'artifacts/z is a new input'],
  ])('is not: %j', async (change, said) => {
    expect(await findChangedParts(parts, { ...parts, ...change })).toContain(said);
  });
});

describe('files of another node', () => {
  const patient = { folders: [], patienceSeconds: 10 };

  test('are waited for', async () => {
    const file = path.join(root, 'late');
    setImmediate(() => writeFileSync(file, ''));
    expect(await waitUntilVisible(() => exist([file]), { ...patient, folders: foldersOf([file]) })).toBe(
      true,
    );
  });

  test('are not waited for longer than is sensible, or after an interruption', async () => {
    const never = () => exist([path.join(root, 'never')]);
    expect(await waitUntilVisible(never, { ...patient, patienceSeconds: 0 })).toBe(false);
    expect(await waitUntilVisible(never, { ...patient, signal: AbortSignal.abort() })).toBe(false);
  });
});
