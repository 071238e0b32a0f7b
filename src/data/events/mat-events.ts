import { ReproError } from '../../base/errors.ts';
import { readMat5 } from '../../formats/mat5.ts';
import { eventsOfLists } from './event-lists.ts';
import type { Events, Sensor } from './events.ts';

const VARIABLES = ['ts', 'x', 'y', 'pol'] as const;
/** A sample of ASL-DVS lasts about 100 ms and has some 30,000 events, 1 MB as doubles; this is two hundred times as much. */
const LARGEST_BYTES = 2 ** 28;

/**
 * Reads the events of a MATLAB 5 file with the lists `ts` (time, µs), `x`, `y` and `pol` (polarity).
 *
 * The lists are taken as they are, as the original (SpikingJelly's loader of ASL-DVS, autumn 2020) takes them: x and y are not
 * mirrored, times are not shifted, and channel 0 is `pol` 0. Other loaders turn y around.
 *
 * @param file name for messages
 * @returns the events in file order, and a sentence for each accepted irregularity
 * @throws {ReproError} `mat-variable` if a list has another length than `ts`, or is not a list; `mat-event` for a pixel outside
 *   the sensor, a polarity other than 0 and 1, or a time that is not a whole number of µs >= 0; and what `readMat5` throws
 * @see Bi et al. 2019, "Graph-Based Object Classification for Neuromorphic Vision Sensing"
 */
export function decodeMatEvents(
  bytes: Uint8Array,
  file: string,
  { title, sensor }: { readonly title: string; readonly sensor: Sensor },
): { readonly events: Events; readonly warnings: readonly string[] } {
  const fail = (code: string, what: string): never => {
    const fix = `The file is damaged or not part of ${title}: get it again.`;
    throw new ReproError(code, what, { where: file, fix });
  };
  const arrays = readMat5(bytes, file, VARIABLES, LARGEST_BYTES);
  const length = arrays.get('ts')!.data.length;
  const [t, x, y, p] = VARIABLES.map((name) => {
    const { shape, data } = arrays.get(name)!;
    // MATLAB's empty array is 0 x 0.
    const isList = data.length === 0 || shape.filter((size) => size !== 1).length <= 1;
    if (isList && data.length === length) return data;
    const what = isList
      ? `has ${data.length} numbers, but \`ts\` has ${length}: one of each belongs to an event`
      : `is ${shape.join(' x ')}, not a list`;
    return fail('mat-variable', `\`${name}\` ${what}.`);
  }) as [Float64Array, Float64Array, Float64Array, Float64Array];
  return eventsOfLists({ t, x, y, p }, file, sensor, (what) => fail('mat-event', what));
}
