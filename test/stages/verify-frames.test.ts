import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import frames from '../../stages/frames.ts';
import verify from '../../stages/verify.ts';
import { DATASETS } from '../support/datasets.ts';
import { gestureFiles, writeGestures } from '../support/gesture-fixture.ts';
import { makeContext } from '../support/stage-context.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
});

const params = { dataset: { simulated: true } };
const gestures = path.join(DATASETS, 'dvs128-gesture.yaml');
const settings = { steps: 2, splitBy: 'time' as const, downsample: 16, invalidEvents: 'keep' as const };

test('verify writes the manifest that frames reads, and both report what they did', async () => {
  await writeGestures(root, gestureFiles(true));
  const [verified, cache] = [path.join(root, 'verify'), path.join(root, 'frames')];
  const first = makeContext(params, { dataset: gestures, recordings: root }, [verified]);
  await verify.run(first);
  expect(JSON.parse(await readFile(path.join(verified, 'manifest.json'), 'utf8'))).toMatchObject({
    version: 1,
    simulated: true,
  });
  expect(first.said).toEqual({
    metrics: { recordings: 4, 'clips.train': 36, 'clips.test': 12, warnings: 0 },
    notes: ['simulated, in the layout of DVS128 Gesture: 36 training and 12 test clips.'],
    warnings: [],
    progress: ['1/4 recordings', '2/4 recordings', '3/4 recordings', '4/4 recordings'],
  });
  const second = makeContext(
    { frames: settings },
    { dataset: gestures, manifest: verified, recordings: root },
    [cache],
  );
  await frames.run(second);
  // The events of the recordings are all of polarity 1.
  expect(second.said.metrics).toEqual({
    'clips.train': 36,
    'clips.test': 12,
    events: 480,
    'events.off.train': 0,
    'events.on.train': 360,
    'events.off.test': 0,
    'events.on.test': 120,
    dtype: 'uint8',
  });
  expect(JSON.parse(await readFile(path.join(cache, 'clips.json'), 'utf8')).simulated).toBe(true);
});

test('verify explains how to get the data if there are none', async () => {
  const inputs = { dataset: gestures, recordings: path.join(root, 'none') };
  const context = makeContext({ dataset: { simulated: false } }, inputs, [path.join(root, 'verify')]);
  await expect(verify.run(context)).rejects.toMatchObject({
    code: 'data-missing',
    fix: expect.stringContaining('research.ibm.com'),
  });
});

test('verify takes simulated recordings in the place of real ones only where the profile says so, and marks them', async () => {
  await writeGestures(root, gestureFiles(true));
  const verified = path.join(root, 'verify');
  const verifyAs = (dataset: object) =>
    verify.run(
      makeContext({ dataset: { simulated: false, ...dataset } }, { dataset: gestures, recordings: root }, [
        verified,
      ]),
    );
  await expect(verifyAs({})).rejects.toMatchObject({
    code: 'data-kind',
    fix: expect.stringContaining('--set dataset.standIn=true'),
  });
  await verifyAs({ standIn: true });
  expect(JSON.parse(await readFile(path.join(verified, 'manifest.json'), 'utf8')).simulated).toBe(true);
});

test('frames rejects the manifest of another data set', async () => {
  await writeGestures(root, gestureFiles(true));
  const verified = path.join(root, 'verify');
  await verify.run(makeContext(params, { dataset: gestures, recordings: root }, [verified]));
  const inputs = { dataset: path.join(DATASETS, 'nmnist.yaml'), manifest: verified, recordings: root };
  const context = makeContext({ frames: settings }, inputs, [path.join(root, 'frames')]);
  await expect(frames.run(context)).rejects.toMatchObject({ code: 'results-invalid' });
});
