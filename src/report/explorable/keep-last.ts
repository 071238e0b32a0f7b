/** A function that is called again only for other arguments than the last time, or after a failure. */
export function keepLast<Arguments extends readonly unknown[], Result>(
  make: (...given: Arguments) => Result,
): (...given: Arguments) => Result {
  let last: { readonly given: Arguments; readonly result: Result } | undefined;
  return (...given) => {
    if (last && given.every((one, i) => one === last?.given[i])) return last.result;
    const result = make(...given);
    last = { given, result };
    if (result instanceof Promise)
      result.catch(() => {
        last = undefined;
      });
    return result;
  };
}
