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
