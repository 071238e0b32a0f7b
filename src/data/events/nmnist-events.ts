import { ReproError } from '../../base/errors.ts';
import { type Events, makeEvents, type Sensor } from './events.ts';
import { ReaderNotes } from './reader-warnings.ts';

const EVENT_BYTES = 5;

/**
 * Reads one N-MNIST sample: 5 bytes per event, big-endian: x (8 bits), y (8), polarity (1), time (23, µs).
 *
 * @param file name for messages
 * @param of whose pixels there can be: other data sets use the format, too
 * @returns the events in file order, and a sentence for each accepted irregularity
 * @throws {ReproError} `nmnist-size` if the size is not a multiple of 5, `nmnist-event` if a pixel lies outside the sensor
 * @see Orchard et al. 2015, "Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades"
 */
export function decodeNmnist(
  bytes: Uint8Array,
  file: string,
  { title, sensor }: { readonly title: string; readonly sensor: Sensor },
): { readonly events: Events; readonly warnings: readonly string[] } {
  const length = Math.floor(bytes.length / EVENT_BYTES);
  if (bytes.length % EVENT_BYTES !== 0) {
    const left = `${bytes.length % EVENT_BYTES} left over`;
    const text = `${bytes.length} bytes are not a whole number of events of ${EVENT_BYTES} bytes: ${left}.`;
    const fix = 'The file is cut off or damaged: download it again.';
    throw new ReproError('nmnist-size', text, { where: `${file}: byte ${length * EVENT_BYTES}`, fix });
  }
  const events = makeEvents(length);
  const { height, width } = sensor;
  const notes = new ReaderNotes(file);
  for (let i = 0, at = 0; i < length; i++, at += EVENT_BYTES) {
    const [x, y, high] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
    if (x >= width || y >= height) {
      const text = `event ${i} is at x ${x}, y ${y}, outside the sensor's ${width} x ${height} pixels.`;
      const fix = `The file is damaged or not part of ${title}: get it again.`;
      throw new ReproError('nmnist-event', text, { where: `${file}: byte ${at}`, fix });
    }
    events.x[i] = x;
    events.y[i] = y;
    events.p[i] = high >> 7;
    const tUs = ((high & 0x7f) << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
    events.tUs[i] = tUs;
    if (i > 0 && tUs < events.tUs[i - 1]!) notes.addBackwards(`byte ${at}`);
  }
  if (length === 0) notes.addBlank();
  return { events, warnings: notes.sentences() };
}
