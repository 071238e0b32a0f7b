import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeNpy } from '../../src/formats/npy.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import type { MetricValue, Progress, StageContext } from '../../src/runner/stage/define-stage.ts';

export const modelFile = join(import.meta.dirname, '../../configs/models/no-reg.yaml');
export const params = {
  train: {
    engine: 'auto' as const,
    epochs: 2,
    batchSize: 8,
    network: { channels: 2, layers: 2, hidden: 8, votes: 2 },
  },
};

/** The frames of 24 training clips and 9 test clips, each of a user of its own. */
export async function writeFrames(frames: string): Promise<void> {
  await mkdir(frames);
  const random = new TorchRandom(1);
  const split = async (name: string, clips: number) => {
    const shape = [clips, 3, 2, 8, 8];
    const data = Uint8Array.from({ length: clips * 3 * 2 * 64 }, () => Math.floor(random.uniform() * 3));
    await writeFile(join(frames, `${name}.npy`), encodeNpy({ dtype: 'uint8', shape, data }));
    return Array.from({ length: clips }, (_, row) => ({
      recording: `user0${row}_led.aedat`,
      user: row,
      light: 'led',
      trial: 70 + row,
      class: row % 3,
      startUs: 0,
      endUs: 1000,
      events: 99,
    }));
  };
  const clips = {
    version: 1,
    dataset: 'dvs128-gesture',
    simulated: true,
    classes: ['clap', 'wave', 'roll'],
    sensor: { height: 128, width: 128 },
    frames: {
      steps: 3,
      splitBy: 'number',
      downsample: 16,
      height: 8,
      width: 8,
      dtype: 'uint8',
      normalization: null,
    },
    splits: { train: await split('train', 24), test: await split('test', 9) },
  };
  await writeFile(join(frames, 'clips.json'), JSON.stringify(clips));
}

export interface Heard {
  progress: Progress[];
  metrics: Record<string, MetricValue>;
  warnings: string[];
}

export function contextOf<P>(
  over: Partial<StageContext<P>> & Pick<StageContext<P>, 'params' | 'inputs' | 'outputs'>,
): {
  context: StageContext<P>;
  heard: Heard;
} {
  const heard: Heard = { progress: [], metrics: {}, warnings: [] };
  const context = {
    matrix: { model: 'no-reg', seed: 2020 },
    facts: {},
    resume: [],
    cpus: 1,
    signal: new AbortController().signal,
    progress: (progress: Progress) => heard.progress.push(progress),
    metrics: (values: Readonly<Record<string, MetricValue>>) => Object.assign(heard.metrics, values),
    note: () => {},
    warn: (text: string) => heard.warnings.push(text),
    ...over,
  };
  return { context, heard };
}
