/** A function that is called again only for other arguments than the last time, or where it failed. */
export function keepLast<Arguments extends readonly unknown[], Result>(
  make: (...given: Arguments) => Result,
): (...given: Arguments) => Result {
  let last: { readonly given: Arguments; readonly result: Result } | undefined;
  return (...given) => {
    if (last !== undefined && given.every((one, i) => one === last?.given[i])) return last.result;
    const made = { given, result: make(...given) };
    last = made;
    if (made.result instanceof Promise)
      made.result.catch(() => {
        if (last === made) last = undefined;
      });
    return made.result;
  };
}
