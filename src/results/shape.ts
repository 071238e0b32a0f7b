import type { Fields, RawObject } from '../formats/fields.ts';

/** Reads and checks one field of an object. */
export type Read<T> = (fields: Fields, name: string) => T;

/** The keys of an object and how each is read: a file format's only definition, from which its type follows. */
export type FileShape = { readonly [key: string]: Read<unknown> };

type Result<R> = R extends Read<infer T> ? T : never;

/** What an object of this shape is; keys of which `optional` may find none may be missing. */
export type Value<S extends FileShape> = {
  readonly [K in keyof S as undefined extends Result<S[K]> ? never : K]: Result<S[K]>;
} & {
  readonly [K in keyof S as undefined extends Result<S[K]> ? K : never]?: Exclude<Result<S[K]>, undefined>;
};

/** @throws {ReproError} naming the first field that does not fit */
export function readShape<S extends FileShape>(fields: Fields, shape: S): Value<S> {
  const entries = Object.entries(shape).map(([name, read]) => [name, read(fields, name)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Value<S>;
}

export const text: Read<string> = (fields, name) => fields.text(name);
export const texts: Read<readonly string[]> = (fields, name) => fields.texts(name);
export const number: Read<number> = (fields, name) => fields.number(name);
export const numbers: Read<readonly number[]> = (fields, name) => fields.numbers(name);
/** One number, or a list of them. */
export const numberOrNumbers: Read<number | readonly number[]> = (fields, name) =>
  Array.isArray(fields.value(name)) ? fields.numbers(name) : fields.number(name);
/** A whole number, 0 or greater. */
export const count: Read<number> = (fields, name) => fields.count(name);
/** From 0 to 1. */
export const share: Read<number> = (fields, name) => fields.share(name);
export const flag: Read<boolean> = (fields, name) => fields.flag(name);

export function choice<const T extends string>(choices: readonly T[]): Read<T> {
  return (fields, name) => fields.choice(name, choices);
}

export function object<S extends FileShape>(shape: S): Read<Value<S>> {
  return (fields, name) => readShape(fields.object(name), shape);
}

export function list<S extends FileShape>(shape: S): Read<readonly Value<S>[]> {
  return (fields, name) => fields.objects(name).map((one) => readShape(one, shape));
}

/** An object with any keys. */
export function record<T>(read: Read<T>): Read<{ readonly [key: string]: T }> {
  return (fields, name) => {
    const entries = fields.object(name);
    return Object.fromEntries(entries.keys().map((key) => [key, read(entries, key)]));
  };
}

/** Settings of which readers interpret only those in `shape`. */
export function settings<S extends FileShape>(shape: S): Read<RawObject & Value<S>> {
  return (fields, name) => ({ ...fields.raw(name), ...readShape(fields.object(name), shape) });
}

export function orNull<T>(read: Read<T>): Read<T | null> {
  return (fields, name) => (fields.has(name) ? read(fields, name) : null);
}

/** A key that may be missing. */
export function optional<T>(read: Read<T>): Read<T | undefined> {
  return (fields, name) => (fields.has(name) ? read(fields, name) : undefined);
}

/** `standard` where there is no such key. */
export function orElse<T>(read: Read<T>, standard: T): Read<T> {
  return (fields, name) => (fields.has(name) ? read(fields, name) : standard);
}
