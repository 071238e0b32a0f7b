import { cp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../../../src/formats/safetensors.ts';
import { collectResults } from '../../../../src/report/collect.ts';
import type { Results } from '../../../../src/report/data/results.ts';
import { renderExplorablePage } from '../../../../src/report/explorable/make/page.ts';
import { collectPayload, isExplorable } from '../../../../src/report/explorable/make/payload.ts';
import { type Payload, unpack } from '../../../../src/report/explorable/payload.ts';
import { buildReport } from '../../../../src/report/report.ts';
import type { FrameCache } from '../../../../src/training/frame-cache.ts';
import { openFrameCache } from '../../../../src/training/open-frames.ts';
import {
  ARABIC_DIGITS,
  FREE_SPOKEN_DIGITS,
  GESTURES,
  NMNIST,
  SPOKEN_DIGITS,
} from '../../../support/datasets.ts';
import { sharedTemporaryFolder } from '../../../support/temporary-folder.ts';
import { QUICK, writeMadeUpResults } from '../../made-up-results.ts';

const made = {
  ...QUICK,
  models: ['baseline', 'lambda-0.01'],
  seeds: [7, 8],
  layers: 3,
  channels: 2,
  steps: 2,
};

const folder = sharedTemporaryFolder();
let sources: Awaited<ReturnType<typeof writeMadeUpResults>>;
let results: Results;
let frames: FrameCache;
beforeAll(async () => {
  sources = await writeMadeUpResults(folder, made);
  results = await collectResults(sources, made);
  frames = await openFrameCache(dirname(sources.examples));
});
afterAll(() => frames.close());

const collect = (room?: number): Promise<Payload> => collectPayload(results, sources, frames, room);
const lengthOf = (clips: Payload['clips']) => clips.reduce((sum, clip) => sum + clip.frames.data.length, 0);

describe('what the explorable page holds', () => {
  test('is each model with the first seed, its weights to the bit, and how it was trained', async () => {
    const { models, training, frames, classes } = await collect();
    expect(models.map(({ id, seed, color, regulariseTau }) => [id, seed, color, regulariseTau])).toEqual([
      ['baseline', 7, 'blue', 0],
      ['lambda-0.01', 7, 'vermilion', 0.01],
    ]);
    for (const { id, file } of models) {
      const weights = await readFile(join(sources.train, id, '7/best.safetensors'));
      expect(weights.equals(Uint8Array.from(unpack(file!)))).toBe(true);
    }
    expect(models[0]?.test).toEqual({ correct: results.models[0]?.runs[0]?.test.correct, clips: 96 });
    expect(training).toEqual({
      batchSize: 16,
      learningRate: 0.001,
      tauRate: 1,
      regularise: 'w',
      loss: 'rate',
    });
    expect(frames).toEqual({ steps: 2, splitBy: 'number', downsample: 4, height: 32, width: 32 });
    expect(classes).toHaveLength(11);
  });

  test('has the frames of its clips as they are in the cache', async () => {
    const { clips } = await collect();
    for (const clip of clips.filter((_, index) => index % 9 === 0)) {
      const row = Int32Array.of(Number(clip.id.replace(/\D+/, '')));
      expect(clip.id).toBe(`${clip.split}-${row}`);
      expect(unpack(clip.frames)).toEqual((await frames[clip.split].read(row)).data);
      expect(clip.class).toBe(frames.index.splits[clip.split][row[0]!]?.class);
    }
    expect(new Set(clips.map(({ id }) => id)).size).toBe(clips.length);
  });

  test('trains on no clip that was held back for validation', async () => {
    const { clips } = await collect();
    const split = JSON.parse(await readFile(join(sources.train, 'baseline/7/split.json'), 'utf8'));
    const training = clips.filter(({ role }) => role === 'training');
    expect(training).toHaveLength(33);
    for (const { id } of training) expect(split.train).toContain(Number(id.replace('train-', '')));
  });

  test('rounds the weights of a network that does not fit, leaves it out if that does not help; then the clips for training, all together', async () => {
    const { models, clips } = await collect();
    expect(models.flatMap(({ rounded }) => rounded)).toEqual([]);
    const examples = clips.filter(({ role }) => role === 'example');
    const [first, second] = models.map(({ file }) => file!.data.length);
    // Room for the first network and 0.7 MB of clips, but not for the second, or only for a rounded one.
    const room = lengthOf(examples) + first! + 7e5;
    const tight = (await collect(room + second! - 1)).models;
    expect(tight[0]).toEqual(models[0]);
    expect(tight[1]?.rounded.map(({ name, shape }) => [name, shape.length])).toEqual([
      ['conv.0.weight', 4],
      ...[2, 5].map((layer) => [`fc.${layer}.weight`, 2]),
    ]);
    const weights = join(sources.train, 'lambda-0.01/7/best.safetensors');
    const whole = readSafetensors(await readFile(weights)).tensors;
    const rest = readSafetensors(Uint8Array.from(unpack(tight[1]!.file!))).tensors;
    expect(rest.size).toBe(whole.size - 3);
    for (const [name, tensor] of rest) expect(tensor, name).toEqual(whole.get(name));
    const small = await collect(room + 1000);
    expect(small.models.map(({ file }) => file !== null)).toEqual([true, false]);
    expect(small.clips).toHaveLength(clips.length);
    const shown = clips.filter(({ role }) => role === 'example' || role === 'disagreement');
    const tiny = await collect(lengthOf(clips) - 1);
    expect(tiny.models.map(({ file }) => file)).toEqual([null, null]);
    expect(tiny.clips).toEqual(shown);
    const noRoom = await collect(lengthOf(examples));
    expect(noRoom.clips).toEqual(examples);
  });

  test('is not made of weights that are damaged or of another network; the error says how to make them again', async () => {
    const train = join(folder, 'damaged');
    await cp(sources.train, train, { recursive: true });
    const file = join(train, 'baseline/7/best.safetensors');
    const bytes = await readFile(file);
    const others = await readFile(join(train, 'lambda-0.01/7/best.safetensors'));
    for (const [wrong, problem] of [
      [bytes.subarray(0, -1), 'not a valid safetensors file'],
      // One τ per layer is expected.
      [others, 'expected F32 [], found F32 [1, 2, 32, 32]'],
    ] as const) {
      await writeFile(file, wrong);
      await expect(collectPayload(results, { ...sources, train }, frames)).rejects.toMatchObject({
        where: file,
        message: expect.stringContaining(problem),
        fix: 'Make the file again: `./repro run train@baseline,7 --force`.',
      });
    }
  });

  test('says how sound becomes events, also of a data set that leaves it at its defaults', async () => {
    const audioWith = async (dataset: Results['dataset']) =>
      (await collectPayload({ ...results, dataset }, sources, frames)).frames.audio;
    expect(await audioWith(GESTURES)).toBeUndefined();
    expect(await audioWith(NMNIST)).toBeUndefined();
    // Its files are events, which were sound.
    expect(await audioWith(SPOKEN_DIGITS)).toEqual(ARABIC_DIGITS.audio);
    const { audio, ...silent } = FREE_SPOKEN_DIGITS;
    expect(await audioWith(FREE_SPOKEN_DIGITS)).toEqual(audio);
    expect(await audioWith(silent)).toEqual({});
  });

  test('exists for event frames without normalisation only', () => {
    const [model] = results.models;
    const run = model!.runs[0]!;
    const runs = [{ ...run, frames: { ...run.frames, normalization: 'max' as const } }];
    expect(isExplorable(results)).toBe(true);
    expect(isExplorable({ ...results, models: [{ ...model!, runs }] })).toBe(false);
    const images = { ...results, examples: { ...results.examples, kind: 'images' as const } };
    expect(isExplorable(images)).toBe(false);
    expect(buildReport(images, { title: '' }).explore).toBeUndefined();
  });
});

describe('the explorable page', () => {
  const render = async (classes = results.classes): Promise<string> => {
    const report = buildReport(results, { title: 'A run' });
    return renderExplorablePage(report, { ...(await collect()), classes }, 'start()');
  };

  test('has data that no name in them can end or change', async () => {
    const name = '</script><!--<script>alert("x")\u2028';
    const page = await render([name]);
    const [, data = ''] = /<script type="application\/json" id="payload">([^<]*)<\/script>/.exec(page) ?? [];
    expect(JSON.parse(data).classes).toEqual([name]);
  });

  test('allows its own script by its hash, which Chromium would ask for', async () => {
    // printf 'start()' | openssl dgst -sha256 -binary | base64
    expect(await render()).toContain(
      "script-src 'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00=' 'wasm-unsafe-eval'; worker-src blob:; media-src blob:;",
    );
  });
});
