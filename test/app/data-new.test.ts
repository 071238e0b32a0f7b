import fs from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CliProject } from '../runner/rig/cli-project.ts';
import { encoders, moveBar, writeRecordings } from '../support/own-recordings.ts';
import { u16, wav } from '../support/wav-fixture.ts';

let project: CliProject;
beforeEach(async () => {
  project = await CliProject.create({ 'pipeline.yaml': 'version: 1\nstages: {}\n' });
});

const call = (...words: readonly string[]) => project.call(['data', 'new', ...words]);

const read = (kind: 'datasets' | 'profiles', name: string) =>
  parse(project.read(`configs/${kind}/${name}.yaml`));

/** Wide letters would not fit. */
const aedat4 = (rows: Parameters<typeof encoders.aedat4>[0]) => encoders.aedat4(rows);

describe('repro data new', () => {
  test('writes a data set and a profile, which say what it assumed', async () => {
    await writeRecordings(project.at('My Bars'), encoders.npy, (label, n) => `${label}_0${n}.npy`);
    const { stdout, stderr, exitCode } = await call('My Bars', '--title', 'Bars: "left", right');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    for (const line of [
      'names    {class}_{number}.npy, read as npy, columns t, x, y, p',
      'classes  3 (training + test): left 8 + 2, right 8 + 2, up 8 + 2',
      'sensor   34 x 34, the smallest common camera for the largest coordinates, x 31 and y 31',
      'split    24 + 6, the first 80 % of each class for training',
      'length   0.290 s, the median of all clips, if times are in us',
      'network  10 frames of 34 x 34, 3 layers of 32 channels; 3 models x 3 seeds, 30 epochs',
      '  configs/datasets/my-bars.yaml',
      '  ./repro data show my-bars left_01.npy',
      '  ./repro run --profile my-bars',
    ])
      expect(stdout.split('\n')).toContain(line);
    expect(read('datasets', 'my-bars')).toEqual({
      title: 'Bars: "left", right',
      summary: '30 recordings in 3 classes, seen by an event camera with 34 x 34 pixels.',
      classes: ['left', 'right', 'up'],
      sensor: { height: 34, width: 34 },
      published: { train: 24, test: 6 },
      licence: 'not stated',
      citation: 'not stated',
      root: 'My Bars',
      profile: 'my-bars',
      layout: 'samples',
      samples: [{ names: '{class}_{number}.npy', reader: 'npy', columns: ['t', 'x', 'y', 'p'] }],
      split: { trainShare: 0.8 },
    });
    expect(read('profiles', 'my-bars')).toMatchObject({
      dataset: { name: 'my-bars', simulated: false, root: 'My Bars' },
      frames: { steps: 10, downsample: 1 },
      train: { epochs: 30, cosineHalfPeriod: 30, validationShare: 0.15 },
      report: { title: 'Bars: "left", right' },
    });
    const info = await project.call(['data', 'info', 'my-bars']);
    expect(info.stdout).toMatch(/^licence +not stated$/m);
    const verified = await project.call(['data', 'verify', 'my-bars', '--json']);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      warnings: [],
      perClass: { left: 10, right: 10, up: 10 },
    });
    const shown = await project.call(['data', 'show', 'my-bars', 'left_01.npy']);
    expect(shown.stdout).toMatch(/^events +720, /m);
  });

  test('takes the sensor from headers and splits by user where there are five', async () => {
    const davis = (rows: Parameters<typeof encoders.aedat4>[0]) => encoders.aedat4(rows, 240, 180);
    await writeRecordings(project.at('dv'), davis, (label, n) => `user0${1 + (n % 5)}/${label}/${n}.aedat4`);
    const { sensor, samples, split, published } = (await project.json(['data', 'new', 'dv'])).facts;
    expect({ sensor, split, published }).toEqual({
      sensor: { width: 240, height: 180 },
      split: { testUsers: [5] },
      published: { train: 24, test: 6 },
    });
    expect(samples).toEqual([{ names: 'user{user}/{class}/{number}.aedat4', reader: 'aedat4' }]);
    expect(read('profiles', 'dv')).toMatchObject({
      frames: { downsample: 4 },
      train: { network: { layers: 3 } },
    });
    expect((await project.call(['data', 'verify', 'dv'])).stdout).toMatch(/^per user .*user05 6/m);
  });

  test.each([
    [
      'eight digits',
      (label: string, n: number) => `${label}/0000000${1 + (n % 4)}_NO_${n}.npy`,
      { samples: [{ names: '{class}/{user}_*{number}.npy' }], split: { testUsers: [4] } },
      /^split +24 \+ 6, by user: for testing 4$/m,
      /^users in both training and test: 4 of 4 \(/,
    ],
    [
      'women and men',
      (label: string, n: number) => `${'fm'[n % 2]}_0${1 + (n % 3)}_${label}_${n}.npy`,
      {
        samples: [{ names: '{user}_{class}_{number}.npy' }],
        users: ['f_01', 'm_01', 'f_02', 'm_02', 'f_03', 'm_03'],
        split: { testUsers: [6] },
      },
      /^users +6: f_01, m_01, f_02, m_02, f_03 and 1 more\n(.*\n)*split +27 \+ 3, by user: for testing m_03$/m,
      /^users in both training and test: 4 of 6 \(/,
    ],
  ])('tests people whom no training clip is of: %s', async (_, nameOf, facts, shown, warning) => {
    await writeRecordings(project.at('people'), encoders.npy, nameOf);
    const { stdout, stderr } = await call('people');
    expect(stderr).toBe('');
    expect(stdout).toMatch(shown);
    expect(read('datasets', 'people')).toMatchObject(facts);
    const verified = await project.call(['data', 'verify', 'people', '--json']);
    expect(JSON.parse(verified.stdout).warnings).toEqual([]);
    // Split in another way, each of them is in both, as `verify` says.
    const file = 'configs/datasets/people.yaml';
    await project.edit(file, '\nsplit:', '\nsplit: { trainShare: 0.5 }\n#');
    const mixed = JSON.parse((await project.call(['data', 'verify', 'people', '--json'])).stdout).warnings;
    expect(mixed.at(-1)).toMatch(warning);
    expect(mixed.at(-1)).toContain('dataset.folds');
  });

  test('warns of what may be people in the names, and not of numbers', async () => {
    const people = ['anna', 'bob', 'eve'];
    await writeRecordings(
      project.at('named'),
      encoders.npy,
      (label, n) => `${label}/take_${n < 9 ? people[n % 2] : people[2]}${n}.npy`,
    );
    const warning = 'parts of names in both training and test: ';
    const { stderr, stdout } = await call('named');
    expect(stdout).toMatch(/^split +24 \+ 6, the first 80 % of each class/m);
    expect(stderr).toBe('');
    await project.write('named/up/take_anna11.npy', encoders.npy(moveBar('up', 11)));
    const again = await call('named', '--force');
    expect(again.stderr).toContain(`${warning}1 of 3 (anna). If they are people,`);
    expect(again.stderr).toContain('write {user}');
    const { warnings } = JSON.parse((await project.call(['data', 'verify', 'named', '--json'])).stdout);
    expect(warnings).toEqual([expect.stringContaining(`${warning}1 of 3 (anna)`)]);
    await writeRecordings(
      project.at('numbers'),
      encoders.npy,
      (label, n) => `${label}_rec${n + (label === 'up' ? 2 : 0)}.npy`,
    );
    expect((await call('numbers')).stderr).toBe('');
  });

  test('gives sound its bands, frames of 20 ms and a linear network', async () => {
    const sound = (hz: number, seconds: number) =>
      wav(
        {},
        u16(
          ...Array.from(
            { length: 16_000 * seconds },
            (_, i) => 9000 * Math.sin((2 * Math.PI * hz * i) / 16_000),
          ),
        ),
      );
    for (const [label, hz] of [
      ['low', 300],
      ['high', 2000],
    ] as const)
      for (let n = 1; n <= 6; n++)
        await project.write(
          `words/${label}/speaker${1 + (n % 3)}_${n}.wav`,
          sound(hz + n, n === 6 ? 0.7 : 0.2),
        );
    const { stdout, stderr } = await call('words');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^sensor +64 x 1, the bands of the sound$/m);
    expect(stdout).toMatch(/^network +40 frames of 64 x 1, 20 ms each, 128 hidden neurons; /m);
    expect(read('datasets', 'words')).not.toHaveProperty('audio');
    expect(read('datasets', 'words')).toMatchObject({
      summary: '12 recordings in 2 classes, heard by 64 bands of sound.',
      sensor: { height: 1, width: 64 },
      split: { testUsers: [3] },
    });
    expect(read('profiles', 'words')).toMatchObject({
      frames: { steps: 40, splitBy: 'duration', durationUs: 20_000, downsample: 1 },
      memory: '1G',
      train: { epochs: 30, learningRate: 0.01, network: { layers: 0, hidden: 128, dropout: 0 } },
    });
    await project.expectFailure(
      ['data', 'new', 'words', '--name', 'other', '--sensor', '32x1'],
      2,
      'with 32 x 1 and 64 x 1',
      'leave out --sensor',
      '`audio.bands`',
    );
    await project.edit('configs/datasets/words.yaml', 'width: 64', 'width: 32');
    await project.expectFailure(['data', 'verify', 'words'], 1, '`audio.bands` x 1 is 64 x 1');
  });

  test('reads names in capitals as others', async () => {
    await writeRecordings(project.at('loud'), encoders.npy, (label, n) => `${label}/${n}.NPY`);
    await call('loud');
    expect(read('datasets', 'loud').samples).toMatchObject([
      { names: '{class}/{number}.NPY', reader: 'npy' },
    ]);
    expect((await project.call(['data', 'show', project.at('loud/up/1.NPY')])).stdout).toContain('NumPy');
    for (const name of ['a/1.WAV', 'a/2.wav', 'b/1.WAV', 'b/2.wav'])
      await project.write(`shouts/${name}`, wav({}, u16(0, 9000, 0)));
    await call('shouts');
    expect(read('datasets', 'shouts')).toMatchObject({
      published: { train: 2, test: 2 },
      samples: [
        { names: '{class}/{number}.WAV', reader: 'wav' },
        { names: '{class}/{number}.wav', reader: 'wav' },
      ],
    });
    expect((await project.call(['data', 'show', project.at('shouts/a/1.WAV')])).stdout).toContain('WAV');
  });

  test.each([
    [4, 'validates on the last clips of each class', undefined],
    [5, 'validates on whole people', 'users'],
  ])('with recordings of %i people, of whom one is tested, %s', async (people, _, validation) => {
    const nameOf = (label: string, n: number) => `${label}/speaker${n % people}_${n}.npy`;
    await writeRecordings(project.at('crowd'), encoders.npy, nameOf);
    await call('crowd');
    const { dataset, train } = read('profiles', 'crowd');
    expect(dataset.validation).toBe(validation);
    expect(train.validationShare).toBe(0.15);
  });

  test.each([
    ['8 kHz', [8000], 3800],
    ['several rates, of which the lowest decides', [44_100, 11_025, 16_000], 5200],
  ])('ends the bands of sound where its sample rate does: %s', async (_, ratesHz, highHz) => {
    for (const label of ['low', 'high'])
      for (let n = 0; n < 6; n++) {
        const rateHz = ratesHz[n % ratesHz.length]!;
        const waves = 2 * Math.PI * (label === 'low' ? 300 : 2000);
        const samples = Array.from({ length: rateHz / 5 }, (_, i) => 9000 * Math.sin((waves * i) / rateHz));
        await project.write(`calls/${label}/${n}.wav`, wav({ rateHz }, u16(...samples)));
      }
    const { stdout, stderr } = await call('calls');
    expect(stderr).toBe('');
    expect(stdout).toContain(`64 x 1, the bands of the sound, up to ${highHz} Hz\n`);
    expect(read('datasets', 'calls')).toMatchObject({ sensor: { height: 1, width: 64 }, audio: { highHz } });
    expect(JSON.parse((await project.call(['data', 'verify', 'calls', '--json'])).stdout).warnings).toEqual(
      [],
    );
  });

  test('asks for no further frames for an event at the very end of a sound', async () => {
    // 0.2 s. Of so loud a second click, three events are at exactly 200,000 µs.
    const clicks = Array.from({ length: 3200 }, (_, i) => (i === 1000 ? 9000 : i === 3199 ? 883 : 0));
    for (const name of ['a/1', 'a/2', 'b/1', 'b/2'])
      await project.write(`clicks/${name}.wav`, wav({}, u16(...clicks)));
    await call('clicks');
    expect(read('profiles', 'clicks').frames).toMatchObject({ steps: 10, durationUs: 20_000 });
  });

  test('takes one row for one, and trains on many clips as on spoken words', async () => {
    const row = (n: number) => moveBar('right', 1).map(([t, x, , p]) => [t * 10, x + (n % 2), 0, p] as const);
    for (let n = 0; n < 640; n++) await project.write(`rows/${'ab'[n % 2]}_${n}.npy`, encoders.npy(row(n)));
    expect((await call('rows')).stdout).toMatch(
      /^sensor +31 x 1, one row, as y is always 0; the largest x is 30$/m,
    );
    expect(read('datasets', 'rows')).toMatchObject({
      summary: '640 recordings in 2 classes, recorded by a sensor with a row of 31 pixels.',
      sensor: { height: 1, width: 31 },
    });
    const { frames, models, train } = read('profiles', 'rows');
    // The clips last 2.9 s.
    expect(frames).toEqual({ steps: 50, splitBy: 'duration', durationUs: 58_017, downsample: 1 });
    expect(models).toEqual(['baseline', 'lif', 'no-reg']);
    expect(train).toMatchObject({ epochs: 20, batchSize: 32, learningRate: 0.03 });
    await call('rows', '--sensor', '64x1', '--force');
    expect(read('datasets', 'rows').sensor).toEqual({ height: 1, width: 64 });
  });

  test('takes the sensor that --sensor gives, if all events are on it', async () => {
    await writeRecordings(project.at('bars'), encoders.npy, (label, n) => `${label}/${n}.npy`);
    expect((await call('bars', '--sensor', '40x36')).stdout).toMatch(/^sensor +40 x 36, as --sensor says$/m);
    expect(read('datasets', 'bars').sensor).toEqual({ width: 40, height: 36 });
    const fails = (size: string, ...texts: readonly string[]) =>
      project.expectFailure(['data', 'new', 'bars', '--force', '--sensor', size], 2, ...texts);
    await fails('16x40', 'with 16 x 40 and 32 x 32 pixels', 'correct --sensor');
    await fails('0x40', '"0x40" is not the size of a sensor', '--sensor 128x128');
  });

  test('reads several formats at once, in the splits that there are', async () => {
    await writeRecordings(
      project.at('mixed'),
      encoders.bin,
      (label, n) => `${n < 8 ? 'train' : 'test'}/${label}/${n}.bin`,
    );
    await fs.copyFile(project.at('mixed/train/up/1.bin'), project.at('mixed/stray.bin'));
    const seconds = encoders.npy(moveBar('up', 3), 1e6);
    await project.write('mixed/test/up/a.npy', seconds);
    const { stdout } = await call('mixed');
    expect(stdout).toMatch(/^not used +stray\.bin$/m);
    expect(read('datasets', 'mixed')).toMatchObject({
      published: { train: 21, test: 10 },
      samples: [
        { names: '{split}/{class}/*.bin', reader: 'nmnist-bin' },
        { names: '{split}/{class}/*.npy', reader: 'npy', timeUnit: 's' },
      ],
      split: { folders: { train: 'train', test: 'test' } },
    });
    const { stdout: json } = await project.call(['data', 'verify', 'mixed', '--json']);
    expect(JSON.parse(json)).toMatchObject({ splits: { train: { clips: 21 }, test: { clips: 10 } } });
  });

  test('holds back no clips of a class that has few, and says that a clip is too short', async () => {
    for (const label of ['a', 'b']) {
      for (const number of [1, 2, 3])
        await project.write(`few/${label}/${number}.bin`, Uint8Array.of(1, 2, 128, 0, 9));
    }
    expect((await call('few', '--name', 'two')).stdout).toMatch(
      /^length +0\.00000100 s.*: is that right\?$/m,
    );
    expect(read('profiles', 'two').train).toMatchObject({ validationShare: 0, batchSize: 4 });
    for (const label of ['a', 'b']) await project.remove(`few/${label}/3.bin`);
    expect((await call('few', '--name', 'four')).exitCode).toBe(0);
    expect(read('profiles', 'four').train.batchSize).toBe(2);
  });

  test('replaces only what it has written, and only with --force', async () => {
    await writeRecordings(project.at('bars'), encoders.bin, (label, n) => `${label}/${n}.bin`);
    expect((await call('bars')).exitCode).toBe(0);
    await project.expectFailure(
      ['data', 'new', 'bars'],
      2,
      'configs/datasets/bars.yaml  this file already exists.',
    );
    expect((await call('bars', '--force', '--title', 'Again')).exitCode).toBe(0);
    expect(read('datasets', 'bars').title).toBe('Again');
    await project.write('configs/profiles/nmnist.yaml', 'seeds: [1]\n');
    const words = ['data', 'new', 'bars', '--name', 'nmnist', '--force'];
    await project.expectFailure(words, 2, 'configs/profiles/nmnist.yaml  this file already exists.');
    await expect(fs.access(project.at('configs/datasets/nmnist.yaml'))).rejects.toThrow();
    await project.expectFailure(['data', 'new', 'bars', '--name', 'A/b'], 2, '--name my-recordings');
  });

  test('says what it looked for, and writes nothing', async () => {
    const fails = (folder: string, ...texts: readonly string[]) =>
      project.expectFailure(['data', 'new', folder], 2, ...texts);
    await fails('nowhere', 'nowhere  there is no such folder.');
    await project.write('zips/a.zip', 'PK');
    await fails('zips', '.aedat4, .npy, .npz, .wav, .mat', 'found a.zip.', 'Unpack archives.');
    await project.write('music/a/1.mp3', 'ID3');
    await project.write('music/a/2.FLAC', 'fLaC');
    await fails('music', 'found a/1.mp3, a/2.FLAC.', 'ffmpeg -i');
    await project.expectFailure(['data', 'show', project.at('music/a/2.FLAC')], 2, 'ffmpeg -i');
    await project.write('one/wave_1.npy', encoders.npy(moveBar('up', 1)));
    await fails(
      'one',
      'do not tell two classes with two recordings each',
      'train/wave/03.npy',
      'user01_wave_03.npy',
    );
    await writeRecordings(project.at('bad'), encoders.bin, (label, n) => `${label}/${n}.bin`);
    await project.write('bad/up/3.bin', 'four');
    await fails('bad', 'recordings cannot be read (1):\n    up/3.bin: byte 0', '.mat with ts, x, y, pol');
    await writeRecordings(project.at('hot'), encoders.npy, (label, n) => `${label}/${n}.npy`);
    await project.write('hot/up/3.npy', encoders.npy([...moveBar('up', 3), [300_000, 20_000, 5, 1]]));
    await fails('hot', 'up/3.npy  event 720 is at x 20000, y 5, outside');
    await project.write('formats/up/1.aedat', '#!AER-DAT2.0\r\n');
    await project.write('formats/up/2.aedat', '#!AER-DAT3.1\r\n#!END-HEADER\r\n');
    for (const n of [1, 2]) await project.write(`formats/left/${n}.aedat`, '#!AER-DAT2.0\r\n');
    await fails('formats', 'files named {class}/{number}.aedat are of several formats.');
    await writeRecordings(project.at('two'), aedat4, (label, n) => `${label}/${n}.aedat4`);
    await project.write('two/up/3.aedat4', encoders.aedat4(moveBar('up', 3), 240, 180));
    await fails('two', 'sensors with 128 x 128 and 240 x 180 pixels', 'make a folder for each');
    expect(await fs.readdir(project.root)).not.toContain('configs');
  });

  test('shows progress only where it takes a while', async () => {
    const bytes = encoders.bin(moveBar('up', 1).slice(0, 9));
    for (const label of ['a', 'b']) {
      await fs.mkdir(path.join(project.root, 'many', label), { recursive: true });
      for (let n = 0; n < 250; n++) await fs.writeFile(project.at(`many/${label}/${n}.bin`), bytes);
    }
    const { stderr, exitCode } = await call('many');
    expect(stderr).toContain('data new  50 % (250 of 500 recordings)');
    expect(exitCode).toBe(0);
  });
});
