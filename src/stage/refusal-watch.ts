import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { isProbe, type ProbedMachine } from './probe.ts';
import { isRefusal, type RefusedError } from './refusal.ts';

type AnyFunction = (this: unknown, ...parameters: unknown[]) => unknown;

/**
 * Collects what Node's permission model refuses to this thread, also where the stage's code catches the error and goes on as if the file
 * were not there. Its result would be repeatable, but not what the author meant. Packages that look around on the machine, such as for its
 * C library, are left alone: what they ask the system for is not what the result depends on, and they have an answer for its absence.
 *
 * @param machine where the project is
 * @param onFirst called after the first one, in the same turn
 * @returns a list that grows with each refusal
 */
export function watchRefusals(machine: ProbedMachine, onFirst: () => void): readonly RefusedError[] {
  const refusals: RefusedError[] = [];
  const note = (error: unknown): void => {
    if (!isRefusal(error) || isProbe(error, machine)) return;
    refusals.push(error);
    if (refusals.length === 1) onFirst();
  };
  for (const functions of [fs, fs.promises, childProcess] as object[]) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(functions))) {
      // Classes, such as `fs.Stats`, have capital letters; `_toUnixTimestamp` and the like are Node's own. Getters are left alone.
      if (typeof value !== 'function' || !/^[a-z]/.test(name)) continue;
      Object.defineProperty(functions, name, {
        value: observe(value as AnyFunction, note),
        writable: true,
        configurable: true,
        enumerable: true,
      });
    }
  }
  syncImports();
  return refusals;
}

/** For `import { readFileSync } from 'node:fs'`. Node 24 warns of `fs.F_OK`, which this reads. */
function syncImports(): void {
  const before: unknown = Reflect.get(process, 'noDeprecation');
  Reflect.set(process, 'noDeprecation', true);
  syncBuiltinESMExports();
  Reflect.set(process, 'noDeprecation', before);
}

/** The same function, which tells of errors: thrown, passed to a callback, or as the reason of a promise. */
function observe(original: AnyFunction, note: (error: unknown) => void): AnyFunction {
  const observed: AnyFunction = function (...parameters) {
    const callback = parameters.at(-1);
    if (typeof callback === 'function') {
      parameters[parameters.length - 1] = function (this: unknown, ...results: unknown[]) {
        note(results[0]);
        return callback.apply(this, results);
      };
    }
    try {
      const result = original.apply(this, parameters);
      if (result instanceof Promise) result.catch(note);
      return result;
    } catch (error) {
      note(error);
      throw error;
    }
  };
  // `fs.realpath.native`, and what `util.promisify` looks for.
  return Object.defineProperties(observed, Object.getOwnPropertyDescriptors(original));
}
