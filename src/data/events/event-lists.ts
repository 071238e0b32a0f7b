import { type Events, makeEvents, type Sensor } from './events.ts';
import { ReaderNotes } from './reader-warnings.ts';

/** One number of each list for an event. */
interface EventLists extends Readonly<Record<'t' | 'x' | 'y' | 'p', ArrayLike<number>>> {
  /** Polarity of an OFF event; 0 unless said otherwise. */
  readonly off?: number;
}

/**
 * Events of lists of numbers, in their order; and a sentence for each accepted irregularity.
 *
 * @param lists of equal length; times in µs
 * @param file name for messages
 * @param fail for a pixel outside the sensor, another polarity, or a time that is not a whole number of µs >= 0
 */
export function eventsOfLists(
  { t, x, y, p, off = 0 }: EventLists,
  file: string,
  { height, width }: Sensor,
  fail: (event: string) => never,
): { readonly events: Events; readonly warnings: readonly string[] } {
  const events = makeEvents(t.length);
  const notes = new ReaderNotes(file);
  let previousUs = 0;
  for (let i = 0; i < t.length; i++) {
    const tUs = t[i]!;
    const column = x[i]!;
    const row = y[i]!;
    const polarity = p[i]!;
    events.tUs[i] = tUs;
    // Written first: a number that the array changes is not a whole number from 0 to 65,535.
    events.x[i] = column;
    events.y[i] = row;
    events.p[i] = polarity === 1 ? 1 : 0;
    if (!(tUs >= 0 && tUs <= Number.MAX_SAFE_INTEGER) || Math.floor(tUs) !== tUs) {
      fail(`event ${i} has the time ${tUs}, which is not a whole number of µs >= 0.`);
    }
    if (events.x[i] !== column || column >= width || events.y[i] !== row || row >= height) {
      fail(`event ${i} is at x ${column}, y ${row}, outside the sensor's ${width} x ${height} pixels.`);
    }
    if (polarity !== 1 && polarity !== off) {
      fail(`event ${i} has the polarity ${polarity}, expected ${off} or 1.`);
    }
    if (tUs < previousUs) notes.addBackwards(`event ${i}`);
    previousUs = tUs;
  }
  if (t.length === 0) notes.addBlank();
  return { events, warnings: notes.sentences() };
}
