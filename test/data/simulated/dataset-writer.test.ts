import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseLabels } from '../../../src/data/events/labels.ts';
import { planRecordings, type SimulationOptions } from '../../../src/data/simulated/dataset.ts';
import { writeSimulatedDataset } from '../../../src/data/simulated/dataset-writer.ts';
import { sharedTemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

const OPTIONS: SimulationOptions = {
  seed: 3,
  trainUsers: 1,
  testUsers: 1,
  lights: ['led', 'natural'],
  gestureSeconds: 0.1,
};

const names = ['user01_led', 'user01_natural', 'user24_led', 'user24_natural'];
const steps: string[] = [];
const root = sharedTemporaryFolder();
let summary: Awaited<ReturnType<typeof writeSimulatedDataset>>;
beforeAll(async () => {
  summary = await writeSimulatedDataset(root, OPTIONS, {
    progress: (done, total, recording) => steps.push(`${done}/${total} ${recording}`),
  });
});

const read = (name: string) => readFile(path.join(root, 'DvsGesture', name), 'utf8');

/** Digest of every file, by name. */
async function digests(folder: string): Promise<Record<string, string>> {
  const files = await readdir(path.join(folder, 'DvsGesture'));
  const hash = async (name: string) =>
    createHash('sha256')
      .update(await readFile(path.join(folder, 'DvsGesture', name)))
      .digest('hex');
  return Object.fromEntries(
    await Promise.all(files.map(async (name): Promise<[string, string]> => [name, await hash(name)])),
  );
}

test('the folder has the data set’s layout, and lists, labels and recordings agree', async () => {
  expect((await readdir(path.join(root, 'DvsGesture'))).sort()).toEqual(
    [
      'SIMULATED.txt',
      'gesture_mapping.csv',
      'trials_to_test.txt',
      'trials_to_train.txt',
      ...names.flatMap((name) => [`${name}.aedat`, `${name}_labels.csv`]),
    ].sort(),
  );
  expect(await read('trials_to_train.txt')).toBe('user01_led.aedat\nuser01_natural.aedat\n');
  expect(await read('trials_to_test.txt')).toBe('user24_led.aedat\nuser24_natural.aedat\n');
  const lines = (await read('gesture_mapping.csv')).trimEnd().split('\n');
  expect(lines).toHaveLength(12);
  expect([lines[0], lines[1], lines[11]]).toEqual(['action,label', 'hand_clapping,1', 'other_gestures,11']);
  for (const name of names) {
    const file = `${name}_labels.csv`;
    const { labels, warnings } = parseLabels(await read(file), { file, classes: 11 });
    expect(warnings).toEqual([]);
    expect(labels.map((label) => label.class)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11]);
  }
  expect(steps).toEqual(names.map((name, index) => `${index + 1}/4 ${name}`));
  expect(summary).toMatchObject({ recordings: 4, clips: 48 });
});

test('every place a reader may look at says that the recordings are simulated', async () => {
  const note = await read('SIMULATED.txt');
  expect(note).toMatch(/^These recordings are SIMULATED\./);
  expect(note).toMatch(/Seed: 3\n/);
  expect(note).not.toContain(root);
  const header = (await read('user01_led.aedat')).split('#!END-HEADER')[0];
  expect(header).toMatch(/^#!AER-DAT3\.1\r\n/);
  expect(header).toMatch(/\r\n#SIMULATED: /);
  expect(header).toMatch(/\r\n#Simulation: .*seed 3, user 1, light led\r\n/);
});

test('a recording depends on the seed, and not on which others are made', async () => {
  const write = async (name: string, seed: number) => {
    const folder = path.join(root, name);
    await writeSimulatedDataset(folder, { ...OPTIONS, seed, lights: ['natural'] });
    return digests(folder);
  };
  const all = await digests(root);
  const same = await write('same', 3);
  const other = await write('other', 4);
  const recordings = Object.keys(same).filter((name) => name.endsWith('.aedat'));
  expect(recordings).toHaveLength(2);
  for (const name of recordings) {
    expect(same[name]).toBe(all[name]);
    expect(other[name]).not.toBe(all[name]);
  }
});

test('a more sensitive camera gives several times the events, and only named recordings are made', async () => {
  const made = await writeSimulatedDataset(path.join(root, 'sensitive'), {
    ...OPTIONS,
    sensitivity: 4,
    only: ['user24_led', 'user01_natural'],
  });
  expect(made.recordings).toBe(2);
  expect(made.events).toBeGreaterThan(summary.events);
  const folder = path.join(root, 'sensitive/DvsGesture');
  expect(await readFile(path.join(folder, 'trials_to_test.txt'), 'utf8')).toBe('user24_led.aedat\n');
  expect(await readFile(path.join(folder, 'SIMULATED.txt'), 'utf8')).toContain(
    'Thresholds: ON 0.08, OFF 0.075 ',
  );
});

test('an abort ends the work before the next recording', async () => {
  const folder = await temporaryFolder();
  const controller = new AbortController();
  const work = writeSimulatedDataset(folder, OPTIONS, {
    signal: controller.signal,
    progress: () => controller.abort(new Error('interrupted')),
  });
  await expect(work).rejects.toThrow('interrupted');
  const made = (await readdir(path.join(folder, 'DvsGesture'))).filter((name) => name.endsWith('.aedat'));
  expect(made).toEqual(['user01_led.aedat']);
});

test('users 1 to 23 are for training, and more can be tested than the data set has', () => {
  const recordings = planRecordings({ ...OPTIONS, trainUsers: 23, testUsers: 48, lights: ['led'] });
  expect(recordings).toHaveLength(71);
  expect(recordings.filter(({ split }) => split === 'train').map(({ user }) => user)).toEqual(
    Array.from({ length: 23 }, (_, index) => index + 1),
  );
  expect(recordings.at(-1)).toEqual({ name: 'user71_led', user: 71, light: 'led', split: 'test' });
});
