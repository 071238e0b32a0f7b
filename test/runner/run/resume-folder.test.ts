import fs from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ResumeFolder } from '../../../src/runner/run/resume-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);

const inputs = { stamps: { data: 'one' }, way: {} };
const otherInputs = { ...inputs, stamps: { data: 'two' } };

/** How many disk changes succeed before the simulated kill. */
const disk = vi.hoisted(() => ({ changesLeft: Number.POSITIVE_INFINITY }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const { default: real } = await importOriginal<{ default: typeof fs }>();
  const count = (): void => {
    disk.changesLeft -= 1;
    if (disk.changesLeft < 0) throw new Error('killed');
  };
  const changing = (name: 'rm' | 'mkdir' | 'open' | 'rename' | 'rmdir') => [
    name,
    async (...args: unknown[]) => {
      count();
      return (real[name] as (...args: unknown[]) => Promise<unknown>)(...args);
    },
  ];
  const faulty = {
    ...real,
    ...Object.fromEntries((['rm', 'mkdir', 'open', 'rename', 'rmdir'] as const).map(changing)),
  };
  return { ...faulty, default: faulty };
});

afterEach(() => {
  disk.changesLeft = Number.POSITIVE_INFINITY;
});

interface Place {
  readonly folder: ResumeFolder;
  readonly state: string;
  readonly cache: string;
}

async function createPlace(): Promise<Place> {
  const root = await temporaryFolder();
  const cache = path.join(root, 'cache', 'resume');
  return {
    folder: new ResumeFolder(root, 'artifacts/s.resume', 0, cache),
    state: path.join(root, 'artifacts/s.resume/sub/state'),
    cache,
  };
}

test('what an interrupted execution can go on from is seen, in place or set aside, unless it is empty, finished, distrusted or of other inputs', async () => {
  const { folder, state } = await createPlace();
  expect(await folder.canResume(a, inputs)).toBe(false);
  await folder.open(a, inputs);
  expect(await folder.canResume(a, inputs)).toBe(false);
  await fs.mkdir(path.dirname(state), { recursive: true });
  await fs.writeFile(state, 'of a');
  expect([await folder.canResume(a, inputs), await folder.canResume(b, inputs)]).toEqual([true, false]);
  await folder.open(b, inputs);
  expect([await folder.canResume(a, inputs), await folder.canResume(b, inputs)]).toEqual([true, false]);
  expect(await folder.canResume(a, otherInputs)).toBe(false);
  await folder.open(a, inputs);
  expect(await folder.canResume(a, otherInputs)).toBe(false);
  await folder.distrust();
  expect(await folder.canResume(a, inputs)).toBe(false);
  await folder.markFinished(a);
  expect(await folder.canResume(a, inputs)).toBe(false);
});

test('what an execution saved counts for later ones although its inputs were written to, once they are known to have been right', async () => {
  const { folder, state } = await createPlace();
  await folder.open(a, inputs);
  await fs.mkdir(path.dirname(state), { recursive: true });
  await fs.writeFile(state, 'of a');
  await folder.settle(otherInputs);
  await folder.settle(inputs);
  expect(await folder.open(a, otherInputs)).toMatchObject({ other: 'none' });
  await folder.settle(inputs);
  expect(await folder.open(a, inputs)).toMatchObject({ other: 'emptied' });
});

/** What a stage with this fingerprint would resume from; null if nothing. */
async function readState({ folder, state }: Place, fingerprint: string): Promise<string | null> {
  await folder.open(fingerprint, inputs);
  return fs.readFile(state, 'utf8').catch(() => null);
}

async function leaveState(place: Place, fingerprint: string, text: string): Promise<void> {
  await place.folder.open(fingerprint, inputs);
  await fs.mkdir(path.dirname(place.state), { recursive: true });
  await fs.writeFile(place.state, text);
}

describe('a resume folder', () => {
  test('keeps the state of each fingerprint intact, whichever disk change is the last before a kill', async () => {
    let isKilled = true;
    for (let changes = 0; isKilled; changes += 1) {
      const place = await createPlace();
      await leaveState(place, a, 'of a');
      await leaveState(place, b, 'of b');
      disk.changesLeft = changes;
      // Sets aside b and brings back a.
      isKilled = await place.folder.open(a, inputs).then(
        () => false,
        () => true,
      );
      disk.changesLeft = Number.POSITIVE_INFINITY;
      // One after the other, in either order.
      const order = changes % 2 === 0 ? [a, b, a] : [b, a, b];
      for (const fingerprint of order) {
        expect(await readState(place, fingerprint)).toBe(fingerprint === a ? 'of a' : 'of b');
      }
      await place.folder.drop(a);
      await place.folder.drop(b);
      expect(await fs.readdir(place.cache)).toEqual([]);
    }
  });

  test('is deleted with what was set aside for its fingerprint, and for no other', async () => {
    const place = await createPlace();
    await leaveState(place, a, 'of a');
    await leaveState(place, b, 'of b');
    await place.folder.drop(b);
    expect(await readState(place, b)).toBeNull();
    expect(await readState(place, a)).toBe('of a');
    await place.folder.drop(a);
    expect(await readState(place, a)).toBeNull();
  });
});

test('an empty resume folder is not set aside', async () => {
  const { folder, cache } = await createPlace();
  await folder.open(a, inputs);
  expect(await folder.open(b, inputs)).toMatchObject({ other: 'none', isBack: false });
  await expect(fs.readdir(cache)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('what a finished execution left is dropped by a forced run, whichever disk change was the last before a kill', async () => {
  let isKilled = true;
  for (let changes = 0; isKilled; changes += 1) {
    const place = await createPlace();
    await leaveState(place, a, 'of a');
    await place.folder.markFinished(a);
    disk.changesLeft = changes;
    isKilled = await place.folder.drop(a).then(
      () => false,
      () => true,
    );
    disk.changesLeft = Number.POSITIVE_INFINITY;
    // What is left is where garbage is collected.
    expect(await fs.readdir(path.join(place.cache, '../../artifacts'))).not.toContain('s.resume.partial');
    await place.folder.dropIfFinished(a);
    expect(await readState(place, a)).toBeNull();
  }
});

test('what an interrupted execution left stays for a forced run, also after one that had been marked as finished', async () => {
  const place = await createPlace();
  await leaveState(place, a, 'of a');
  await place.folder.dropIfFinished(a);
  expect(await readState(place, a)).toBe('of a');
  await place.folder.markFinished(a);
  // Killed before the record was written, so the execution goes on.
  expect(await readState(place, a)).toBe('of a');
  await place.folder.dropIfFinished(a);
  expect(await readState(place, a)).toBe('of a');
});

describe('what a finished execution left', () => {
  test('is dropped by another fingerprint and a forced run, whichever disk change was the last before a kill', async () => {
    let isKilled = true;
    for (let changes = 0; isKilled; changes += 1) {
      const place = await createPlace();
      await leaveState(place, a, 'of a');
      await place.folder.markFinished(a);
      disk.changesLeft = changes;
      isKilled = await leaveState(place, b, 'of b').then(
        () => false,
        () => true,
      );
      disk.changesLeft = Number.POSITIVE_INFINITY;
      await place.folder.dropIfFinished(a);
      expect(await readState(place, a)).toBeNull();
      if (!isKilled) expect(await readState(place, b)).toBe('of b');
    }
  });

  test('stays while another fingerprint is forced', async () => {
    const place = await createPlace();
    await leaveState(place, a, 'of a');
    await place.folder.markFinished(a);
    await place.folder.dropIfFinished(b);
    expect(await readState(place, a)).toBe('of a');
  });
});
