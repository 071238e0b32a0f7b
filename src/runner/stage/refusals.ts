import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { isAtOrBelow, isBelow } from '../../base/files/folders.ts';
import { listSome } from '../../base/text.ts';
import type { Declaration } from './protocol.ts';

export interface RefusedError extends Error {
  readonly code: 'ERR_ACCESS_DENIED';
  /** `FileSystemRead`, `FileSystemWrite`, `ChildProcess`; empty if a function is refused as such. */
  readonly permission?: string;
  /** As it was passed to the function. */
  readonly resource?: string;
}

function isRefusal(error: unknown): error is RefusedError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED';
}

type AnyFunction = (this: unknown, ...parameters: unknown[]) => unknown;

/**
 * Collects what Node's permission model refuses to this thread, even if the stage's code catches the error and continues as if the file did
 * not exist: its result would be repeatable, but not what the author meant. Refused probes by packages ({@link isProbe}) do not count: the
 * result does not depend on them, and the packages cope without an answer.
 *
 * @param onFirst called after the first one, in the same turn
 * @returns a list that grows with each refusal
 */
export function watchRefusals(declaration: Declaration, onFirst: () => void): readonly RefusedError[] {
  const refusals: RefusedError[] = [];
  const note = (error: unknown): void => {
    if (!isRefusal(error) || isProbe(error, declaration)) return;
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

/** The same function, but `note` gets its errors: thrown, passed to a callback, or as the reason of a promise. */
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

/** Folders of the operating system: of Unix, and of macOS. */
const systemFolders =
  /^\/(?:proc|sys|dev|etc|usr|bin|sbin|lib\w*|System|Library|private\/(?:etc|var\/db)|opt\/homebrew)\//;

/** Below these, a path of `/proc` leads to the working folder or root of a process. */
const processPlaces = /^\/proc\/(?:[^/]+\/){1,3}(?:cwd|root)(?:\/|$)/;

/**
 * Whether a refusal is only a package inspecting the machine, for instance for its C library: the call came from a package, not from the
 * stage's code, and asked for a file of the operating system or for a program. Files in the project never belong to the system, wherever the
 * project is; a link elsewhere that leads into the project is not noticed.
 */
export function isProbe(
  { permission, resource = '', stack = '' }: Pick<RefusedError, 'permission' | 'resource' | 'stack'>,
  { projectRoot, realRoot = projectRoot }: Pick<Declaration, 'projectRoot' | 'realRoot'>,
): boolean {
  const file = path.normalize(resource);
  const isInProject = [projectRoot, realRoot].some((root) => isAtOrBelow(path.resolve(file), root));
  const isOfSystem = systemFolders.test(file) && !processPlaces.test(file) && !isInProject;
  if (permission !== 'ChildProcess' && !isOfSystem) return false;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const caller = frames.find((line) => !/node:|\/refusals\./.test(line));
  return caller?.includes('/node_modules/') === true;
}

/** The refusal behind an error, which stage code may have wrapped. */
export function findRefusal(error: unknown): RefusedError | undefined {
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    if (isRefusal(one)) return one;
    seen.add(one);
  }
  return undefined;
}

/** A message that names more is read by nobody. */
const namedAtMost = 20;

/**
 * What a stage was refused, for people: the path, the stage, and what to add to the pipeline file.
 *
 * @param refusals at least one
 */
export function explainRefusals(
  refusals: readonly RefusedError[],
  declaration: Declaration,
  cause: unknown = refusals[0],
): ReproError {
  const { projectRoot, outputs } = declaration;
  const details = { where: declaration.where, cause };
  const stage = `stage "${declaration.stage}"`;
  const namesOf = (wanted: string): string[] => {
    const files = refusals
      .filter(({ permission, resource = '' }) => permission === wanted && resource !== '')
      .map(({ resource = '' }) => path.resolve(resource));
    const names = files.map((one) => (isBelow(one, projectRoot) ? path.relative(projectRoot, one) : one));
    return [...new Set(names)];
  };
  const [reads, writes] = [namesOf('FileSystemRead'), namesOf('FileSystemWrite')];
  if (reads.length + writes.length === 0) return explainFunction(refusals[0], stage, details);
  const those = reads.length === 1 ? 'it is' : 'they are';
  const sentences = [
    ...(reads.length > 0
      ? [`may not read ${listSome(reads, namedAtMost)}: ${those} not among its inputs.`]
      : []),
    ...(writes.length > 0
      ? [`may not write ${listSome(writes, namedAtMost)}: stages write to their outputs only.`]
      : []),
  ];
  // The plan refuses these as inputs, and what is around them.
  const others = ['artifacts/.cache', ...outputs].map((one) => path.resolve(projectRoot, one));
  const mayBeInput = (name: string): boolean => {
    const file = path.resolve(projectRoot, name);
    return !others.some((one) => isAtOrBelow(file, one) || isAtOrBelow(one, file));
  };
  const inputs = reads.filter(mayBeInput);
  const lines = inputs
    .slice(0, namedAtMost)
    .map((name) => (path.isAbsolute(name) ? `{ path: ${quote(name)}, external: true }` : quote(name)));
  const ofReads = [
    `Add ${inputs.length === 1 ? 'it' : 'them'} to the stage in pipeline.yaml:`,
    '  inputs:',
    ...lines.map((one) => `    - ${one}`),
  ];
  const ofOthers =
    'A stage may read neither its own earlier outputs nor artifacts/.cache. To continue after an interruption, use `resume:`.';
  const ofWrites = [
    `Write to context.outputs, here ${outputs.map((one, i) => `[${i}] for ${one}`).join(', ')}: the runner moves them there once the stage`,
    'has succeeded. Add what is missing to `outputs:`. For temporary files, use os.tmpdir(); to continue after an interruption, `resume:`.',
  ];
  const fix = [
    ...(inputs.length > 0 ? ofReads : []),
    ...(inputs.length < reads.length ? [ofOthers] : []),
    ...(writes.length > 0 ? ofWrites : []),
  ].join('\n');
  const code = reads.length > 0 ? 'undeclared-read' : 'undeclared-write';
  return new ReproError(code, `${stage} ${sentences.join(' It ')}`, { ...details, fix });
}

/** Plain where YAML reads it as the same text, also within braces; `${` would begin a reference. */
function quote(name: string): string {
  const text = name.replaceAll('${', '$$${');
  return /^[\w/.][\w/.@+~-]*$/.test(text) && !/^[\d.]+$|^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

/** A refusal that concerns no file: a function that Node's permission model does not allow at all. */
function explainFunction(
  refusal: RefusedError | undefined,
  stage: string,
  details: { readonly where: string; readonly cause: unknown },
): ReproError {
  const optOut =
    'or add `hermetic: false` to the stage in pipeline.yaml: then nothing that it reads or writes is checked.';
  if (refusal?.permission === 'ChildProcess') {
    const text = `${stage} may not start programs: their files would not be checked.`;
    return new ReproError('undeclared-program', text, {
      ...details,
      fix: `Make a \`cmd:\` stage of it, ${optOut}`,
    });
  }
  const text = `${stage} called a function that Node.js ${process.versions.node} does not allow under its permission model: ${refusal?.message}`;
  const fix = `Leave it out if it is an fsync (the runner syncs outputs), copy instead of making a symbolic link, ${optOut}`;
  return new ReproError('refused', text, { ...details, fix });
}
