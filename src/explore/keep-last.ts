/** A function that is called again only for other arguments than the last time. */
export function keepLast<Arguments extends readonly unknown[], Result>(
  make: (...given: Arguments) => Result,
): (...given: Arguments) => Result {
  let last: { readonly given: Arguments; readonly result: Result } | undefined;
  return (...given) => {
    if (!last || given.some((one, i) => one !== last?.given[i])) last = { given, result: make(...given) };
    return last.result;
  };
}
