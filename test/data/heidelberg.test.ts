import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReproError } from '../../src/base/errors.ts';
import type { EventDataset } from '../../src/data/contract/dataset.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import type { HeidelbergFacts } from '../../src/results/dataset-facts.ts';
import { CliProject } from '../runner/rig/cli-project.ts';
import { SHD } from '../support/datasets.ts';
import { md5 } from '../support/gesture-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makeZip } from '../support/zip-fixture.ts';

/** Simulated recordings, by make_files.py there. */
const FOLDER = path.resolve(import.meta.dirname, '../golden/heidelberg');
const FACTS: HeidelbergFacts = { ...SHD, simulated: true, published: { train: 60, test: 40 } };
const dataset = openDataset(FACTS);
const simulated = { simulated: true };

/** The events of all clips by split and row: times in µs, and columns. */
async function readEvents(of: EventDataset, root: string) {
  const clips = await of.listClips(root, simulated);
  const found = new Map<
    string,
    { readonly counts: Uint16Array; readonly count: number; readonly endUs: number }
  >();
  await of.readClips(root, clips, { ...simulated, invalidEvents: 'keep' }, async (clip) => {
    const counts = new Uint16Array(10 * 2 * 140);
    const layout = {
      steps: 10,
      splitBy: 'duration',
      durationUs: 100_000,
      from: 'file',
      downsample: 1,
    } as const;
    clip.events.integrate({ ...layout, sensor: of.facts.sensor }, counts);
    found.set(`${clip.split} ${clip.row}`, { counts, count: clip.events.count, endUs: clip.endUs });
  });
  return { clips, found };
}

describe('recordings in the layout of Spiking Heidelberg Digits', () => {
  test('are listed with class and person, in the order of the files', async () => {
    const { train, test } = await dataset.listClips(FOLDER, simulated);
    expect([train.length, test.length]).toEqual([60, 40]);
    expect(train[2]).toMatchObject({ recording: 'shd_train.h5#00002', class: 19, user: 1 });
    expect(test.at(-1)).toMatchObject({ recording: 'shd_test.h5#00039', class: 2, user: 3 });
    expect(new Set(train.map(({ user }) => user))).toEqual(new Set([0, 1, 2]));
  });

  test('have the events that h5py reads, with five units to a pixel', async () => {
    const { found } = await readEvents(dataset, FOLDER);
    expect(found.size).toBe(100);
    const { counts, count, endUs } = found.get('train 2')!;
    // The last of 60 is at 0.8936 s as a number of 16 bits, 0.8935546875.
    expect([count, endUs]).toEqual([60, 893_556]);
    // Units 663, 651 and 644 at 33, 72 and 83 ms: in the first frame, among those that brighten.
    for (const unit of [663, 651, 644]) expect(counts[140 + Math.floor(unit / 5)]).toBeGreaterThan(0);
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(60);
  });

  test('are read in their zips as unpacked, if these are the published ones', async () => {
    const root = await temporaryFolder();
    const zips = await Promise.all(
      FACTS.files.map(async ({ name }) => {
        const inside = name.replace('.zip', '');
        const zip = makeZip([{ name: `files/${inside}`, bytes: await readFile(path.join(FOLDER, inside)) }]);
        await writeFile(path.join(root, name), zip);
        return { name, md5: md5(zip) };
      }),
    );
    const published = openDataset({ ...FACTS, files: zips });
    expect(await published.verify(root, simulated)).toMatchObject({
      archive: true,
      warnings: [],
      splits: { train: { clips: 60 }, test: { clips: 40 } },
      perUser: { user00: 20, user01: 40, user02: 20, user03: 20 },
    });
    expect(await readEvents(published, root)).toEqual(await readEvents(dataset, FOLDER));
    await expect(dataset.verify(root, simulated)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(/archives are not the published ones \(2\):\n.*shd_train\.h5\.zip/),
    });
  });

  test('are counted: a difference is a warning', async () => {
    const other = openDataset({ ...FACTS, published: SHD.published });
    const { warnings } = await other.verify(FOLDER, simulated);
    expect(warnings).toEqual([
      "60 training samples instead of Spiking Heidelberg Digits's 8,156.",
      "40 test samples instead of Spiking Heidelberg Digits's 2,264.",
      'unpacked files: the publisher gives checksums of the zips alone.',
    ]);
  });

  test.each<[string, Partial<HeidelbergFacts>, RegExp]>([
    [
      'a label that is no class',
      { classes: FACTS.classes.slice(0, 5) },
      /clip 0 {2}label 6 is not one of 0 to 4/,
    ],
    [
      'a unit beyond the last',
      { unitsPerPixel: 4 },
      /clip \d+ {2}event \d+ is of unit \d+, but there are 560/,
    ],
  ])('are refused with %s', async (_, changes, message) => {
    await expect(openDataset({ ...FACTS, ...changes }).verify(FOLDER, simulated)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['nothing', 0],
    ['half', 0.5],
    ['all but the last byte', 1],
  ])('are refused if %s of a file is there', async (_, share) => {
    const root = await temporaryFolder();
    await cp(FOLDER, root, { recursive: true });
    const bytes = await readFile(path.join(root, 'shd_test.h5'));
    const kept = Math.min(bytes.length - 1, Math.floor(share * bytes.length));
    await writeFile(path.join(root, 'shd_test.h5'), bytes.subarray(0, kept));
    const error: ReproError = await dataset.verify(root, simulated).then(
      () => expect.unreachable(),
      (one) => one,
    );
    expect(error.code).toBe('data-corrupt');
    expect(error.message).toMatch(/shd_test\.h5.* {2}HDF5 cannot read it/);
  });

  test('are read by stages, which may read only what they declare', async () => {
    const project = await CliProject.copyConfiguration();
    project.linkSources();
    for (const part of ['train', 'test'])
      await cp(path.join(FOLDER, `shd_${part}.h5`), project.at(`data/shd/shd_${part}.h5`));
    const { stderr, exitCode } = await project.call(['run', 'frames', '--profile', 'shd']);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('Spiking Heidelberg Digits: 60 training and 40 test clips.');
    const [clip] = JSON.parse(project.read('artifacts/frames/clips.json')).splits.test;
    expect(clip).toMatchObject({ recording: 'shd_test.h5#00000' });
  });

  test('are missed by name', async () => {
    const root = await temporaryFolder();
    await cp(path.join(FOLDER, 'shd_train.h5'), path.join(root, 'shd_train.h5'));
    await expect(dataset.listClips(root, simulated)).rejects.toMatchObject({
      code: 'data-missing',
      message: expect.stringContaining('contains neither shd_test.h5 nor shd_test.h5.zip'),
    });
  });
});
