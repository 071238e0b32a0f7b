import { ReproError } from '../errors.ts';
import { DATA_SETS } from '../thesis/data-sets.ts';
import type { Events } from './events.ts';

const EVENT_BYTES = 5;

/**
 * Reads one N-MNIST sample: 5 bytes per event, big-endian: x (8 bits), y (8), polarity (1), time (23, µs).
 *
 * @param file name for messages
 * @returns the events in file order, and a sentence for each accepted irregularity
 * @throws {ReproError} `nmnist-size` if the size is not a multiple of 5, `nmnist-event` if a pixel lies outside 34 x 34
 * @see Orchard et al. 2015, "Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades"
 */
export function decodeNmnist(
  bytes: Uint8Array,
  file: string,
): { readonly events: Events; readonly warnings: readonly string[] } {
  const length = Math.floor(bytes.length / EVENT_BYTES);
  if (bytes.length % EVENT_BYTES !== 0) {
    throw new ReproError(
      'nmnist-size',
      `${bytes.length} bytes are not a whole number of events of ${EVENT_BYTES} bytes: ` +
        `${bytes.length % EVENT_BYTES} left over.`,
      {
        where: `${file}: byte ${length * EVENT_BYTES}`,
        fix: 'The file is cut off or damaged: download it again.',
      },
    );
  }
  const events = {
    tUs: new Float64Array(length),
    x: new Uint16Array(length),
    y: new Uint16Array(length),
    p: new Uint8Array(length),
  };
  const { height, width } = DATA_SETS.nmnist.sensor;
  let backwards = 0;
  let firstBackwards = -1;
  for (let i = 0, at = 0; i < length; i++, at += EVENT_BYTES) {
    const [x, y, high] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
    if (x >= width || y >= height) {
      throw new ReproError(
        'nmnist-event',
        `event ${i} is at x ${x}, y ${y}, outside the sensor's ${width} x ${height} pixels.`,
        {
          where: `${file}: byte ${at}`,
          fix: 'The file is damaged or not part of N-MNIST: download it again.',
        },
      );
    }
    events.x[i] = x;
    events.y[i] = y;
    events.p[i] = high >> 7;
    const tUs = ((high & 0x7f) << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
    events.tUs[i] = tUs;
    if (i > 0 && tUs < events.tUs[i - 1]!) {
      backwards += 1;
      if (firstBackwards < 0) firstBackwards = at;
    }
  }
  const warnings: string[] = [];
  if (length === 0) warnings.push(`${file}  contains no events: its clip is blank.`);
  if (backwards > 0) {
    const often = backwards === 1 ? '' : ` (the first of ${backwards.toLocaleString('en-US')} such places)`;
    warnings.push(`${file}: byte ${firstBackwards}  goes back in time${often}.`);
  }
  return { events, warnings };
}
