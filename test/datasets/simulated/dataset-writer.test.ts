import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import {
  planRecordings,
  type SimulationOptions,
  writeSimulatedDataset,
} from '../../../src/datasets/simulated/dataset-writer.ts';
import { parseLabels } from '../../../src/events/labels.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const OPTIONS: SimulationOptions = {
  seed: 3,
  trainUsers: 1,
  testUsers: 1,
  lights: ['led', 'natural'],
  gestureSeconds: 0.1,
};

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
});

const read = (name: string) => readFile(path.join(root, 'DvsGesture', name), 'utf8');

/** Name and digest of every file, sorted. */
async function digests(folder: string): Promise<string[]> {
  const names = (await readdir(path.join(folder, 'DvsGesture'))).sort();
  const hash = async (name: string) =>
    createHash('sha256')
      .update(await readFile(path.join(folder, 'DvsGesture', name)))
      .digest('hex');
  return Promise.all(names.map(async (name) => `${name} ${await hash(name)}`));
}

test('the folder has the data set’s layout, and lists, labels and recordings agree', async () => {
  const steps: string[] = [];
  const summary = await writeSimulatedDataset(root, OPTIONS, {
    progress: (done, total, recording) => steps.push(`${done}/${total} ${recording}`),
  });
  const names = ['user01_led', 'user01_natural', 'user24_led', 'user24_natural'];
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
  for (const name of names) {
    const file = `${name}_labels.csv`;
    const { labels, warnings } = parseLabels(await read(file), { file, classes: 11 });
    expect(warnings).toEqual([]);
    expect(labels.map((label) => label.class)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11]);
  }
  expect(steps).toEqual(names.map((name, index) => `${index + 1}/4 ${name}`));
  expect(summary).toMatchObject({ recordings: 4, clips: 48 });
});

test('the mapping names the eleven classes in the order of their labels', async () => {
  await writeSimulatedDataset(root, { ...OPTIONS, lights: ['led'] });
  const lines = (await read('gesture_mapping.csv')).trimEnd().split('\n');
  expect(lines).toHaveLength(12);
  expect([lines[0], lines[1], lines[11]]).toEqual(['action,label', 'hand_clapping,1', 'other_gestures,11']);
});

test('every place a reader may look at says that the recordings are simulated', async () => {
  await writeSimulatedDataset(root, { ...OPTIONS, lights: ['led'] });
  const note = await read('SIMULATED.txt');
  expect(note).toMatch(/^These recordings are SIMULATED\./);
  expect(note).toMatch(/Seed: 3\n/);
  expect(note).not.toContain(root);
  const header = (await read('user01_led.aedat')).split('#!END-HEADER')[0];
  expect(header).toMatch(/^#!AER-DAT3\.1\r\n/);
  expect(header).toMatch(/\r\n#SIMULATED: /);
  expect(header).toMatch(/\r\n#Simulation: .*seed 3, user 1, light led\r\n/);
});

test('the same seed writes the same bytes and another seed different ones', async () => {
  const folders = ['first', 'second', 'other'].map((name) => path.join(root, name));
  const options = { ...OPTIONS, lights: ['led'] };
  await writeSimulatedDataset(folders[0]!, options);
  await writeSimulatedDataset(folders[1]!, options);
  await writeSimulatedDataset(folders[2]!, { ...options, seed: 4 });
  const [first, second, other] = await Promise.all(folders.map(digests));
  expect(second).toEqual(first);
  const recordings = (list: string[]) => list.filter((line) => line.includes('.aedat'));
  for (const line of recordings(other!)) expect(first).not.toContain(line);
});

test('a recording does not depend on which others are made', async () => {
  await writeSimulatedDataset(path.join(root, 'one'), { ...OPTIONS, lights: ['natural'] });
  await writeSimulatedDataset(path.join(root, 'more'), OPTIONS);
  const [one, more] = await Promise.all([digests(path.join(root, 'one')), digests(path.join(root, 'more'))]);
  const natural = (list: string[]) => list.filter((line) => line.includes('_natural'));
  expect(natural(more)).toEqual(natural(one));
});

test('an abort ends the work before the next recording', async () => {
  const controller = new AbortController();
  const work = writeSimulatedDataset(root, OPTIONS, {
    signal: controller.signal,
    progress: () => controller.abort(new Error('interrupted')),
  });
  await expect(work).rejects.toThrow('interrupted');
  const made = (await readdir(path.join(root, 'DvsGesture'))).filter((name) => name.endsWith('.aedat'));
  expect(made).toEqual(['user01_led.aedat']);
});

test('an unknown light is rejected', async () => {
  await expect(writeSimulatedDataset(root, { ...OPTIONS, lights: ['moon'] })).rejects.toThrow(
    'no light "moon"',
  );
});

test('all users of the data set are 29, of which 1 to 23 are for training', () => {
  const recordings = planRecordings({ ...OPTIONS, trainUsers: 23, testUsers: 6, lights: ['led'] });
  expect(recordings).toHaveLength(29);
  expect(recordings.filter(({ split }) => split === 'train').map(({ user }) => user)).toEqual(
    Array.from({ length: 23 }, (_, index) => index + 1),
  );
  expect(recordings.at(-1)).toEqual({ name: 'user29_led', user: 29, light: 'led', split: 'test' });
});
