import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../errors.ts';
import { adviseWrite, type Declaration, linesToAdd, nameOf, type UndeclaredAccess } from './undeclared.ts';

/** What Node's permission model throws. */
export interface RefusedError extends Error {
  readonly code: 'ERR_ACCESS_DENIED';
  /** `FileSystemRead`, `FileSystemWrite`, `ChildProcess`; empty if a function is refused as such. */
  readonly permission?: string;
  /** As it was passed to the function. */
  readonly resource?: string;
}

export function isRefusal(error: unknown): error is RefusedError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED';
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

/** @returns undefined for a refusal that concerns no file */
export function toAccess({ permission, resource }: RefusedError): UndeclaredAccess | undefined {
  if (resource === undefined || resource === '') return undefined;
  if (permission !== 'FileSystemRead' && permission !== 'FileSystemWrite') return undefined;
  // Windows: a prefix for long paths.
  const file = path.resolve(resource.replace(/^\\\\\?\\/, ''));
  return { access: permission === 'FileSystemRead' ? 'read' : 'write', path: file };
}

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
  const accesses = distinct(refusals.flatMap((one) => toAccess(one) ?? []));
  const other = refusals.find((one) => toAccess(one) === undefined);
  const details = { where: declaration.where, cause };
  const stage = `stage "${declaration.stage}"`;
  const reads = accesses.filter((one) => one.access === 'read');
  const writes = accesses.filter((one) => one.access === 'write');
  if (reads.length > 0) {
    const names = reads.map((one) => nameOf(one.path, declaration)).join(', ');
    const which = reads.length === 1 ? 'it is not among its inputs' : 'they are not among its inputs';
    const [write] = writes;
    const more =
      write === undefined
        ? ''
        : ` Nor may it write ${writes.map((one) => nameOf(one.path, declaration)).join(', ')}: stages write to their outputs only.`;
    const fix = [
      `Add ${reads.length === 1 ? 'it' : 'them'} to the stage in pipeline.yaml:`,
      ...linesToAdd(reads, declaration).map((line) => `  ${line}`),
      ...(write === undefined ? [] : adviseWrite(write.path, declaration)),
    ];
    return new ReproError('undeclared-read', `${stage} may not read ${names}: ${which}.${more}`, {
      ...details,
      fix: fix.join('\n'),
    });
  }
  const [write] = writes;
  if (write !== undefined) {
    const names = writes.map((one) => nameOf(one.path, declaration)).join(', ');
    return new ReproError(
      'undeclared-write',
      `${stage} may not write ${names}: stages write to their outputs only.`,
      { ...details, fix: adviseWrite(write.path, declaration).join('\n') },
    );
  }
  return explainFunction(other, stage, details);
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
    return new ReproError(
      'undeclared-program',
      `${stage} may not start programs: nobody would check their files.`,
      {
        ...details,
        fix: `Make a \`cmd:\` stage of it, ${optOut}`,
      },
    );
  }
  return new ReproError(
    'refused',
    `${stage} called a function that Node.js ${process.versions.node} does not allow under its permission model: ${refusal?.message}`,
    {
      ...details,
      fix: `Leave it out if it is an fsync (the runner syncs outputs), copy instead of making a symbolic link, ${optOut}`,
    },
  );
}

function distinct(accesses: readonly UndeclaredAccess[]): UndeclaredAccess[] {
  return [...new Map(accesses.map((one) => [`${one.access} ${one.path}`, one])).values()];
}
