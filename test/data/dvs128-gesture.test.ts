import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { describeError, type ReproError } from '../../src/base/errors.ts';
import type { ReadOptions } from '../../src/data/contract/dataset.ts';
import { listTrialClips } from '../../src/data/dvs128-gesture/clips.ts';
import { listGestureClips } from '../../src/data/dvs128-gesture/dataset.ts';
import { verifyGestures } from '../../src/data/dvs128-gesture/verify.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { GESTURES } from '../support/datasets.ts';
import {
  gestureFacts,
  gestureFiles,
  LABELS,
  makeRecording,
  md5,
  packGestures,
  writeGestures,
} from '../support/gesture-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
});

const text = (value: string) => new TextEncoder().encode(value);
const real = { simulated: false };
const simulated = { simulated: true };

/** Writes the small data set with these files in place of its own; `null`: without one. */
function writeData(
  changes: Readonly<Record<string, Uint8Array | string | null>> = {},
  isSimulated = false,
): Promise<string> {
  const files = gestureFiles(isSimulated);
  for (const [name, content] of Object.entries(changes)) {
    if (content === null) files.delete(name);
    else files.set(name, typeof content === 'string' ? text(content) : content);
  }
  return writeGestures(root, files);
}

/** The error thrown by verification. */
async function failure(
  options: ReadOptions = real,
  where = root,
  facts = gestureFacts(),
): Promise<ReproError> {
  const error = await verifyGestures(where, options, facts).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'ReproError', fix: expect.any(String) });
  return error as ReproError;
}

describe('the published facts', () => {
  test('name 98 training and 24 test recordings, with an md5 each', () => {
    const [train, test] = [
      Object.entries(GESTURES.recordings.train),
      Object.entries(GESTURES.recordings.test),
    ];
    expect([train.length, test.length]).toEqual([98, 24]);
    for (const [name, sum] of [...train, ...test]) {
      expect(name).toMatch(/^user\d\d_[a-z_]+\.aedat$/);
      expect(sum).toMatch(/^[0-9a-f]{32}$/);
    }
    // One checksum over all lines `name md5`, sorted by name, so that no digit of a published md5 can change unnoticed.
    const sumOf = (entries: [string, string][]) =>
      md5(
        text(
          entries
            .map(([name, sum]) => `${name} ${sum}\n`)
            .sort()
            .join(''),
        ),
      );
    expect([sumOf(train), sumOf(test)]).toEqual([
      'e9a3a2d3c1b5607aadf2400549fd0787',
      '8ee575feee7885a2ab6240ec2c8123be',
    ]);
    expect(new Set(train.map(([name]) => name.slice(0, 6))).size).toBe(23);
    expect(new Set(test.map(([name]) => name.slice(0, 6))).size).toBe(6);
  });
});

describe('verifying recordings', () => {
  test('accepts the unpacked folder or the one above, and counts clips', async () => {
    const folder = await writeData();
    const done: number[] = [];
    const progress = (count: number, total: number) => done.push(count / total);
    const manifest = await verifyGestures(root, { ...real, progress }, gestureFacts());
    expect(manifest).toMatchObject({
      version: 1,
      dataset: 'dvs128-gesture',
      simulated: false,
      archive: false,
      splits: { train: { recordings: 3, clips: 36 }, test: { recordings: 1, clips: 12 } },
      perUser: { user01: 24, user02: 12, user24: 12 },
      perLight: { led: 36, natural: 12 },
      perClass: { 'arm roll': 8, 'hand clapping': 4, other: 4 },
      warnings: [],
    });
    expect(Object.keys(manifest.perClass)).toEqual(GESTURES.classes);
    expect(done).toEqual([0.25, 0.5, 0.75, 1]);
    expect(JSON.stringify(manifest)).not.toContain(root);
    expect(manifest.files.map((file) => file.path)).toContain('DvsGesture/user01_led_labels.csv');
    expect(await verifyGestures(folder, real, gestureFacts())).toEqual(manifest);
  });

  test('accepts the archive, or a folder that contains it, and reads it in place', async () => {
    await writeData();
    const unpacked = await verifyGestures(root, real, gestureFacts());
    const archive = path.join(root, 'DvsGesture.tar.gz');
    await packGestures(root, archive);
    await rm(path.join(root, 'DvsGesture'), { recursive: true });
    const sum = md5(await readFile(archive));
    const manifest = await verifyGestures(root, real, gestureFacts(sum));
    expect(manifest).toMatchObject({ archive: true, warnings: [], splits: unpacked.splits });
    expect(manifest.files).toEqual([
      { path: 'DvsGesture.tar.gz', sizeBytes: expect.any(Number), md5: sum, status: 'archive' },
      ...unpacked.files,
    ]);
    expect(await verifyGestures(archive, real, gestureFacts(sum))).toEqual(manifest);
    // Its recordings are right, but nothing else protects the labels.
    await expect(verifyGestures(archive, real, gestureFacts('0123'))).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringContaining(`md5 ${sum} is not 0123`),
    });
  });

  test('says how to get the data if there are none', async () => {
    const error = await failure(real, path.join(root, 'nowhere'));
    expect(error.code).toBe('data-missing');
    expect(error.message).toContain(`${path.join(root, 'nowhere')} does not exist`);
    const command = './repro data fetch dvs128-gesture --root ';
    expect(error.fix).toMatch(/^DVS128 Gesture .* can be downloaded by one command:\n/);
    expect(error.fix?.split('\n')[1]).toContain(command);
    expect(error.fix).toContain(`repro data verify dvs128-gesture --root ${root}/nowhere`);
    for (const step of [
      'research.ibm.com',
      'DvsGesture.tar.gz',
      '8a5c71fb11e24e5ca5b11866ca6c00a1',
      'CC BY 4.0',
    ]) {
      expect(error.fix).toContain(step);
    }
  });

  test('names an unfinished download', async () => {
    await writeFile(path.join(root, 'DvsGesture.tar.gz.part'), 'x');
    expect((await failure()).message).toContain('DvsGesture.tar.gz.part, an unfinished download');
  });

  test('reports a truncated archive as an incomplete download, with sizes', async () => {
    await writeData();
    const archive = path.join(root, 'DvsGesture.tar.gz');
    await packGestures(root, archive);
    await rm(path.join(root, 'DvsGesture'), { recursive: true });
    const bytes = await readFile(archive);
    await writeFile(archive, bytes.subarray(0, bytes.length / 2));
    const error = await failure(real, root, gestureFacts('8a5c', 2.9e9));
    expect(error).toMatchObject({ code: 'data-corrupt', where: 'DvsGesture.tar.gz' });
    expect(error.message).toMatch(/^The download is incomplete: [\d.]+ k?B of about 2\.9 GB\.$/);
    expect(error.fix).toMatch(/^If it was simulated: --set dataset\.standIn=true\nDVS128 Gesture/);
  });

  test('reports everything missing and wrong at once', async () => {
    await writeData({
      'user01_led.aedat': null,
      'user02_led_labels.csv': null,
      'user24_led.aedat': makeRecording(99),
      'trials_to_test.txt': 'user24_led.aedat\nuser25_led.aedat\n',
    });
    const error = await failure();
    expect(error.code).toBe('data-corrupt');
    expect(error.message.split('\n')).toEqual([
      'DVS128 Gesture is incomplete or damaged:',
      '  trial lists are not the published ones (1):',
      '    trials_to_test.txt:2  user25_led.aedat does not belong here',
      '  recordings are missing (1): user01_led.aedat',
      '  labels are missing (1): user02_led_labels.csv',
      '  recordings are not the published ones (1): user24_led.aedat',
    ]);
    expect(error.fix).toContain('frames.limit');
  });

  test('says where a recording is cut off', async () => {
    await writeData({ 'user24_led.aedat': makeRecording(3).subarray(0, 700) });
    expect((await failure()).message).toMatch(
      /cut off, 700 B: user24_led\.aedat: packet 3, byte 673 .* a packet's header has 28/,
    );
  });

  test('summarises a badly damaged data set on one screen, a wrong line first, and writes everything to the log', async () => {
    const files = new Map([
      ['user02_led.aedat', makeRecording(1)],
      ['user02_led_labels.csv', text(`class,startTime_usec,endTime_usec\n1,2000,3000\n2,3OOO,4000\n`)],
      ...Object.keys(GESTURES.recordings.train)
        .slice(0, 9)
        .map((name): [string, Uint8Array] => [name, makeRecording(2).subarray(0, 700)]),
      ['trials_to_train.txt', text('user01_led.aedat\n')],
    ] as [string, Uint8Array][]);
    await writeGestures(root, files);
    const log: string[] = [];
    const error = await failure({ ...real, log: (line) => log.push(line) }, root, GESTURES);
    const lines = describeError(error).split('\n');
    expect(lines.length).toBeLessThanOrEqual(25);
    expect(lines[2]).toMatch(/^ {4}user02_led_labels\.csv:3:3 {2}startTime_usec must be a whole number/);
    expect(error.message).toContain('recordings cannot be read (9, the first 3):');
    expect(error.message).toMatch(
      /recordings are missing \(113\): (?:user\w+\.aedat, ){4}user\w+\.aedat and 108 more/,
    );
    expect(error.message).not.toContain('md5');
    expect(log.filter((line) => line.startsWith('recordings are missing: '))).toHaveLength(113);
    expect(log).toContainEqual(
      expect.stringMatching(
        /^recordings cannot be read: .*packet 3, byte 673 .*md5 [0-9a-f]{32} is not [0-9a-f]{32}$/,
      ),
    );
  });

  test.each([
    ['with a row too few', LABELS.slice(0, 11), '11 rows; 0 of class 11 instead of 1'],
    [
      'with a class twice',
      [LABELS[1]!, ...LABELS.slice(1)],
      '0 of class 1 instead of 1, 2 of class 2 instead of 1',
    ],
    [
      'beyond the recording',
      [...LABELS.slice(0, 11), { class: 11, startUs: 20_000, endUs: 21_000 }],
      'is outside the recording (0 to 13900 µs)',
    ],
  ])('refuses labels %s', async (_, labels, message) => {
    const rows = labels.map((label) => `${label.class},${label.startUs},${label.endUs}\n`);
    await writeData({ 'user24_led_labels.csv': `class,startTime_usec,endTime_usec\n${rows.join('')}` });
    expect((await failure()).message).toContain(message);
  });

  test('accepts lists and labels with Windows line ends and a byte order mark', async () => {
    const files = gestureFiles(false);
    for (const [name, bytes] of files) {
      if (!/\.(?:txt|csv)$/.test(name)) continue;
      files.set(name, text(`\ufeff${new TextDecoder().decode(bytes).replaceAll('\n', '\r\n')}`));
    }
    await writeGestures(root, files);
    const manifest = await verifyGestures(root, real, gestureFacts());
    expect(manifest.splits.train).toEqual({ recordings: 3, clips: 36 });
    const clips = await listGestureClips(GESTURES, root, real);
    expect([clips.train.length, clips.test.length]).toEqual([36, 12]);
    expect(clips.train[0]).toMatchObject({ recording: 'user01_led.aedat', class: 0 });
  });

  test('warns about unlisted recordings and small files that are not the published ones', async () => {
    await writeData({ 'user30_led.aedat': makeRecording(1), 'README.txt': 'something else' });
    const { warnings, files: listed } = await verifyGestures(root, real, gestureFacts());
    expect(warnings).toEqual([
      expect.stringContaining('README.txt  is not the published file'),
      'user30_led.aedat  is in no trial list and is not used.',
    ]);
    expect(listed.filter(({ status }) => status === 'unlisted').map((file) => file.path)).toEqual([
      'DvsGesture/README.txt',
      'DvsGesture/user30_led.aedat',
    ]);
  });
});

describe('verifying simulated recordings', () => {
  test('checks lists, labels and recordings against each other, without published facts', async () => {
    await writeData({}, true);
    const manifest = await verifyGestures(root, simulated, gestureFacts());
    expect(manifest).toMatchObject({
      simulated: true,
      splits: { train: { recordings: 3, clips: 36 }, test: { recordings: 1, clips: 12 } },
      warnings: [],
    });
  });

  test('refuses a recording that would fill the memory of a thread, in verify and in frames', async () => {
    await writeData();
    const name = [...gestureFiles(false).keys()].find((one) => one.endsWith('.aedat'))!;
    await truncate(path.join(root, 'DvsGesture', name), 500 * 2 ** 20);
    const refusal = {
      code: 'data-corrupt',
      where: name,
      message: expect.stringContaining('524288000 bytes'),
    };
    expect(await failure()).toMatchObject(refusal);
    const clips = await listGestureClips(GESTURES, root, real);
    const reading = openDataset(GESTURES).readClips(
      root,
      clips,
      { ...real, invalidEvents: 'keep' },
      async () => {},
    );
    await expect(reading).rejects.toMatchObject(refusal);
  });

  test('reads every recording to its end', async () => {
    await writeData({ 'user24_led.aedat': makeRecording(3).subarray(0, 900) }, true);
    expect(await failure(simulated)).toMatchObject({
      code: 'data-corrupt',
      fix: expect.stringContaining('repro run simulate'),
    });
  });

  test.each([
    ['a recording in both lists', 'user01_led.aedat\n', 'user01_led.aedat is in both'],
    [
      'a recording twice',
      'user24_led.aedat\nuser24_led.aedat\n',
      'trials_to_test.txt:2  user24_led.aedat appears twice',
    ],
    ['another name', '../etc/passwd\n', "../etc/passwd is not a recording's name"],
    ['no recording at all', '\n', 'trials_to_test.txt is empty'],
    ['a recording that is not there', 'user25_led.aedat\n', 'user25_led.aedat'],
  ])('rejects lists with %s', async (_, list, message) => {
    await writeData({ 'trials_to_test.txt': list }, true);
    expect((await failure(simulated)).message).toContain(message);
  });

  test('says of an archive how many of all recordings are checked, not of those read so far', async () => {
    await writeData({}, true);
    const archive = path.join(root, 'DvsGesture.tar.gz');
    await packGestures(root, archive);
    const done: string[] = [];
    const progress = (count: number, total: number) => done.push(`${count} of ${total}`);
    await verifyGestures(archive, { ...simulated, progress }, gestureFacts());
    expect(done).toEqual(['1 of 4', '2 of 4', '3 of 4', '4 of 4']);
  });

  test('rejects real recordings where simulated ones are expected, and vice versa', async () => {
    const [first, second] = [path.join(root, 'a'), path.join(root, 'b')];
    await mkdir(first);
    await writeGestures(first, gestureFiles(false));
    await writeGestures(second, gestureFiles(true));
    const [notSimulated, notReal] = [await failure(simulated, first), await failure(real, second)];
    expect(notSimulated).toMatchObject({ code: 'data-kind' });
    expect(notSimulated.fix).toContain(`--profile full --set dataset.root=${first}`);
    expect(notReal).toMatchObject({ code: 'data-kind' });
    expect(notReal.fix).toContain('./repro run --profile quick');
    expect(notReal.fix).toContain('--set dataset.root=DIR');
    // The archive does not belong in the folder of the simulated recordings.
    expect(notReal.fix).not.toContain(second);
    for (const { fix } of [notSimulated, notReal]) expect(fix).not.toContain('Set dataset.simulated');
  });
});

test('a recording that is listed twice has both its trial numbers', () => {
  const labels = 'class,startTime_usec,endTime_usec\n1,0,10\n';
  const texts = new Map([
    ['trials_to_train.txt', 'user02_led.aedat\nuser01_led.aedat\nuser02_led.aedat\n'],
    ['trials_to_test.txt', ''],
    ['user01_led_labels.csv', labels],
    ['user02_led_labels.csv', labels],
  ]);
  const { train } = listTrialClips({ classes: ['clap'] }, texts, { where: 'here' });
  expect(train.map(({ recording, trial }) => [recording, trial])).toEqual([
    ['user01_led.aedat', 1],
    ['user02_led.aedat', 0],
    ['user02_led.aedat', 2],
  ]);
});
