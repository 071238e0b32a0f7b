export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

/** Keys from the outermost mapping inwards; numbers are positions in a list. */
export type JsonPath = readonly (string | number)[];

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `Array.isArray` that narrows a readonly list. */
export function isJsonList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value at a path, or undefined; inherited properties (`constructor`) do not count. */
export function getAt(value: Json, path: JsonPath): Json | undefined {
  let current: Json | undefined = value;
  for (const step of path) {
    if (isJsonList(current)) current = typeof step === 'number' ? current[step] : undefined;
    else if (isJsonObject(current)) current = getOwn(current, String(step));
    else return undefined;
  }
  return current;
}

/** A property that the object itself has. */
export function getOwn<Value>(object: { readonly [key: string]: Value }, key: string): Value | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A copy with one value replaced; missing mappings on the way are created. */
export function setAt(target: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined) return target;
  const child = getOwn(target, key);
  return {
    ...target,
    [key]: rest.length === 0 ? value : setAt(isJsonObject(child) ? child : {}, rest, value),
  };
}

/** A copy without one value. */
export function omitAt(target: JsonObject, [key = '', ...rest]: readonly string[]): JsonObject {
  const child = getOwn(target, key);
  if (child === undefined) return target;
  const { [key]: _, ...others } = target;
  return rest.length > 0 && isJsonObject(child) ? { ...target, [key]: omitAt(child, rest) } : others;
}

/** `frames.steps`, `inputs[0].path`. */
export function formatPath(path: JsonPath): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}
