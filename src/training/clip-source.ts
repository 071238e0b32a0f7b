import { unreachable } from '../base/errors.ts';
import { type CountType, type NpyData, newNpyData } from '../formats/npy.ts';
import { countElements } from '../formats/tensor.ts';
import type { Frames } from '../network/engines/engine.ts';
import { mixSeed, TorchRandom } from '../network/torch-random.ts';
import type { FrameOrder } from '../results/evaluation-file.ts';

/** Identifies a training batch: it seeds the random variations of its clips. Epoch and batch count from 0. */
interface BatchPosition {
  readonly seed: number;
  readonly epoch: number;
  readonly batch: number;
}

/** Clips as frames of event counts, or as still images, with random access. */
export interface ClipSource {
  readonly clips: number;
  /** [T, P, H, W] of one clip. */
  readonly shape: readonly [number, number, number, number];
  /**
   * The clips of these rows, in this order: [rows, T, P, H, W].
   *
   * @param batch the training batch that they are for, if any: sources that vary their clips for training then do so
   */
  read(rows: Int32Array, batch?: BatchPosition): Promise<Frames>;
  close(): Promise<void>;
}

/** A source and the 0-based class of each of its clips. */
export interface LabelledClips {
  readonly source: ClipSource;
  readonly labels: Int32Array;
}

/** Clips in memory. @param data [clips, T, P, H, W] */
export function clipsOfArray(
  shape: ClipSource['shape'],
  dtype: CountType,
  data: NpyData<CountType>,
): ClipSource {
  const length = countElements(shape);
  const clips = data.length / length;
  const read = async (rows: Int32Array): Promise<Frames> => {
    const asked = newNpyData(dtype, rows.length * length);
    for (const [at, row] of rows.entries()) {
      if (row < 0 || row >= clips) throw new RangeError(`no row ${row} among ${clips}`);
      asked.set(data.subarray(row * length, (row + 1) * length), at * length);
    }
    return { shape: [rows.length, ...shape], data: asked };
  };
  return { clips, shape, read, close: async () => {} };
}

/**
 * Reads one value ahead of the one in use, so that reading and computing overlap.
 *
 * If the consumer stops early, the value being read is dropped, and an error in reading it with it.
 *
 * @param from the first index, up to `to` - 1
 */
export async function* readAhead<T>(
  from: number,
  to: number,
  read: (index: number) => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  const begin = (index: number): Promise<T> => {
    const reading = read(index);
    // Awaited later, if at all: until then, a failure is not unhandled.
    reading.catch(() => {});
    return reading;
  };
  let next = from < to ? begin(from) : undefined;
  for (let index = from; next !== undefined; index++) {
    const value = await next;
    next = index + 1 < to ? begin(index + 1) : undefined;
    yield value;
  }
}

/** Distinguishes the stream of frame orders from other streams with the same seed: "time" in ASCII. */
const ORDER_STREAM = 0x74696d65;

/**
 * The clips of a source with the frames of each in another order; the source does not change.
 *
 * `shuffled` depends only on the clip's row and on T: every network sees the same shuffled clips, on every machine. For training, it also depends
 * on seed and epoch, so that no order can be learned by heart, and on nothing else, so that a resumed training sees the same. `mean` keeps what all
 * frames have in common and nothing of their order: each is the mean of the clip's T frames, in single precision.
 */
export function reorderFrames(source: ClipSource, order: FrameOrder): ClipSource {
  const [steps] = source.shape;
  return {
    ...source,
    async read(rows, batch) {
      const frames = await source.read(rows, batch);
      switch (order) {
        case 'reversed':
          return arrange(frames, () => Int32Array.from({ length: steps }, (_, step) => steps - 1 - step));
        case 'shuffled':
          return arrange(frames, (clip) => {
            const trained = batch === undefined ? [] : [batch.seed, batch.epoch];
            return new TorchRandom(mixSeed(ORDER_STREAM, rows[clip]!, ...trained)).permutation(steps);
          });
        case 'mean':
          return averageFrames(frames);
        default:
          return unreachable(order);
      }
    },
  };
}

/** @param orderOf for each clip of the batch, the step that each of its frames comes from */
function arrange({ shape, data }: Frames, orderOf: (clip: number) => Int32Array): Frames {
  const [clips, steps] = shape;
  const length = data.length / clips / steps;
  const arranged = data.slice();
  for (let clip = 0; clip < clips; clip++) {
    orderOf(clip).forEach((from, step) => {
      const at = (clip * steps + from) * length;
      arranged.set(data.subarray(at, at + length), (clip * steps + step) * length);
    });
  }
  return { shape, data: arranged };
}

function averageFrames({ shape, data }: Frames): Frames {
  const [clips, steps] = shape;
  const length = data.length / clips / steps;
  const means = new Float32Array(data.length);
  for (let clip = 0; clip < clips; clip++) {
    const start = clip * steps * length;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let step = 0; step < steps; step++) sum += data[start + step * length + i]!;
      for (let step = 0; step < steps; step++) means[start + step * length + i] = sum / steps;
    }
  }
  return { shape, data: means };
}
