import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../../../formats/safetensors.ts';
import { prepareNetwork } from '../../../network/forward.ts';
import { buildNetwork, type NetworkConfig } from '../../../network/networks.ts';
import type { CachedClip, ClipIndex } from '../../../results/clip-index.ts';
import { audioOf } from '../../../results/dataset-facts.ts';
import { readTestAnswers } from '../../../results/predictions.ts';
import { readRun, readSplit } from '../../../results/run-file.ts';
import { nameUnreadable, readResultFile } from '../../../results/stage-files.ts';
import type { Results } from '../../data/results.ts';
import { modelColor } from '../../drawing/theme.ts';
import {
  type EmbeddedClip,
  type EmbeddedFrames,
  type EmbeddedModel,
  isRounded,
  type Packed,
  type Payload,
  pack,
  roundTensor,
} from '../payload.ts';

/** Reads the frames of clips as networks see them. */
interface ClipReader {
  read(rows: Int32Array): Promise<{ readonly data: EmbeddedFrames | Uint32Array }>;
}

/**
 * Characters of base64 that fit: the page has less than 8 MB, and its script takes about 0.8 MB. A network that does not fit has its weights
 * rounded. What still does not fit is left out: later networks, which the reader can open as files; clips on which models disagree; the clips
 * to train on and to score by.
 */
const ROOM = 7e6;
/** What networks leave of it for such clips. */
const ROOM_FOR_CLIPS = 0.7e6;

/**
 * Whether there is an explorable page: for event frames whose counts are not normalised. The page also makes frames of other recordings,
 * by counting alone; and networks for still images see no events.
 */
export function isExplorable({ examples, models }: Results): boolean {
  return examples.kind === 'events' && models.every(({ runs }) => runs[0]?.frames.normalization === null);
}

/**
 * What the explorable page holds: each model with the first seed, and some clips.
 *
 * @param sources the folders with all trainings and all evaluations
 */
export async function collectPayload(
  results: Results,
  sources: Readonly<Record<'train' | 'evaluate', string>>,
  frames: {
    readonly index: Pick<ClipIndex, 'splits'>;
    readonly rows: { readonly test: Int32Array };
    readonly train: ClipReader;
    readonly test: ClipReader;
  },
  room = ROOM,
): Promise<Payload> {
  const trained = await Promise.all(
    results.models.map((model) => readTrained(sources, model.id, results.seeds[0]!)),
  );
  const { run, split } = trained[0]!;
  const { classes, dataset, simulated } = results;
  const chosen = chooseClips({
    ...{ splits: frames.index.splits, test: [...frames.rows.test], classes, trained: split.train },
    answers: trained.map(({ answers }) => answers),
  });
  const packed: readonly EmbeddedClip[] = await Promise.all(
    chosen.map(async ({ row, ...clip }) => {
      const { data } = await frames[clip.split].read(Int32Array.of(row));
      const counts = data instanceof Uint32Array ? Float32Array.from(data) : data;
      return { id: `${clip.split}-${row}`, ...clip, frames: pack(counts) };
    }),
  );
  const clipsFor = (...roles: readonly EmbeddedClip['role'][]) =>
    packed.filter(({ role }) => roles.includes(role));

  let left = room;
  const clips: EmbeddedClip[] = [];
  const addIfTheyFit = (more: readonly EmbeddedClip[]): void => {
    const size = more.reduce((sum, { frames }) => sum + frames.data.length, 0);
    if (size > left) return;
    left -= size;
    clips.push(...more);
  };
  for (const clip of clipsFor('example')) addIfTheyFit([clip]);
  const models = trained.map((one, index): EmbeddedModel => {
    const { id, title, runs } = results.models[index]!;
    const fits = embedWeights(one.weights, left - ROOM_FOR_CLIPS);
    left -= fits.size;
    const { correct, clips: tested } = runs[0]!.test;
    return {
      ...{ id, title, seed: one.run.seed, color: modelColor(index), config: one.run.network },
      ...{ test: { correct, clips: tested }, regulariseTau: one.run.training.regulariseTau },
      frameOrder: one.run.training.frameOrder,
      ...{ file: fits.file, rounded: fits.rounded },
    };
  });
  for (const clip of clipsFor('disagreement')) addIfTheyFit([clip]);
  addIfTheyFit(clipsFor('training', 'held-out'));

  const { batchSize, learningRate, tauRate = 1 } = run.training;
  const { regularise, loss } = run.compat;
  const { steps, splitBy, durationUs, downsample, height, width, from } = run.frames;
  if (splitBy === null || splitBy === 'rows') throw new TypeError('images are not explorable');
  const npy =
    dataset.layout === 'samples' ? dataset.samples.find(({ reader }) => reader === 'npy') : undefined;
  return {
    ...{ dataset: dataset.title, simulated, classes },
    frames: { steps, splitBy, durationUs, from, downsample, height, width, npy, audio: audioOf(dataset) },
    ...{ models, clips, training: { batchSize, learningRate, tauRate, regularise, loss } },
  };
}

/** The bytes of a network's file if they fit; else with rounded weights if those do. */
function embedWeights(bytes: Buffer, most: number) {
  const sizeOf = (packed: readonly Packed[]) => packed.reduce((sum, { data }) => sum + data.length, 0);
  // Weights hardly deflate: not even tried with large ones.
  const whole = bytes.byteLength > most ? null : pack(bytes);
  if (whole !== null && whole.data.length <= most) return { file: whole, rounded: [], size: sizeOf([whole]) };
  const tensors = [...readSafetensors(bytes).tensors];
  const large = tensors.filter(([name, tensor]) => isRounded(name, tensor));
  const rest = tensors.filter(([name, tensor]) => !isRounded(name, tensor));
  const file = pack(writeSafetensors(new Map(rest)));
  const rounded = large.map(([name, tensor]) => roundTensor(name, tensor));
  const size = sizeOf([file, ...rounded.map(({ data }) => data)]);
  return size <= most ? { file, rounded, size } : { file: null, rounded: [], size: 0 };
}

async function readTrained(
  sources: Readonly<Record<'train' | 'evaluate', string>>,
  model: string,
  seed: number,
) {
  const train = join(sources.train, model, String(seed));
  const evaluate = join(sources.evaluate, model, String(seed));
  const weights = join(train, 'best.safetensors');
  const instance = `train@${model},${seed}`;
  const run = readRun(await readResultFile(join(train, 'run.json'), instance));
  const predictions = await readResultFile(join(evaluate, 'predictions.csv'), `evaluate@${model},${seed}`);
  return {
    run,
    split: readSplit(await readResultFile(join(train, 'split.json'), instance)),
    weights: await nameUnreadable(weights, instance, readWeights(weights, run.network)),
    answers: new Map(readTestAnswers(predictions).map(({ clip, predicted }) => [clip, predicted])),
  };
}

/** @returns the file's bytes. @throws {Error} if it does not hold the tensors of the network */
async function readWeights(file: string, network: NetworkConfig): Promise<Buffer> {
  const bytes = await readFile(file);
  prepareNetwork(buildNetwork(network), readSafetensors(bytes).tensors);
  return bytes;
}

/** What there is to choose from. */
interface Candidates {
  readonly splits: Readonly<Record<'train' | 'test', readonly Pick<CachedClip, 'class'>[]>>;
  /** Rows of the test clips. */
  readonly test: readonly number[];
  readonly classes: readonly string[];
  /** For each model, the class that it took each test clip for, by row. */
  readonly answers: readonly ReadonlyMap<number, number>[];
  /** Rows of the training clips that networks learned from: without those held back for validation. */
  readonly trained: readonly number[];
}

/** Enough to look through. */
const MOST_DISAGREEMENTS = 12;
/** For each class. With those to look at, the held-out clips are enough to see an accuracy move. */
const TRAINING_CLIPS = 3;
const HELD_OUT_CLIPS = 2;

/**
 * The clips of the page: the first test clip of each class; the first others on which models answer differently; and, for training in the page,
 * some of each class that networks learned from, and test clips that are not shown.
 *
 * @returns with `row`s of train.npy or test.npy
 */
export function chooseClips({ splits, test, classes, answers, trained }: Candidates) {
  const examples = classes.flatMap((_, index) => test.find((row) => splits.test[row]?.class === index) ?? []);
  const disagreements = test
    .filter((row) => !examples.includes(row) && new Set(answers.map((each) => each.get(row))).size > 1)
    .slice(0, MOST_DISAGREEMENTS);
  const shown = new Set([...examples, ...disagreements]);
  const rest = test.filter((row) => !shown.has(row));
  /** Of each class, from all over the list, and of each class from other places in it: so from many people. */
  const spread = (split: 'train' | 'test', rows: readonly number[], count: number): number[] =>
    classes.flatMap((_, index) => {
      const own = rows.filter((row) => splits[split][row]?.class === index);
      if (own.length <= count) return own;
      return Array.from(
        { length: count },
        (_, at) => own[Math.floor(((at + index / classes.length) * own.length) / count)]!,
      );
    });
  const lists = [
    { split: 'test', role: 'example', rows: examples },
    { split: 'test', role: 'disagreement', rows: disagreements },
    { split: 'train', role: 'training', rows: spread('train', trained, TRAINING_CLIPS) },
    { split: 'test', role: 'held-out', rows: spread('test', rest, HELD_OUT_CLIPS) },
  ] as const;
  return lists.flatMap(({ split, role, rows }) =>
    rows.map((row) => {
      const given = split === 'train' ? [] : answers.map((each) => each.get(row)!);
      return { row, split, role, class: splits[split][row]!.class, answers: given };
    }),
  );
}
