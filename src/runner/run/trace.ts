import { createReadStream, existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeError, ReproError } from '../../errors.ts';
import type { StageEnd } from '../../executors/executor.ts';
import { readFileAccesses } from '../../executors/strace/file-accesses.ts';
import {
  adviseWrite,
  type Declaration,
  linesToAdd,
  nameOf,
  proposeOutput,
  type UndeclaredAccess,
} from '../../stage/undeclared.ts';
import { listSome } from '../../text.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { Confinement } from './confinement.ts';
import type { RunEvent } from './events.ts';
import { findUndeclared } from './undeclared-files.ts';

/** A message that names more is read by nobody; the JSON document names all. */
const shownAtMost = 20;

/** Different kinds of wrong places to write to: more is repetition. */
const advisedAtMost = 3;

/**
 * Reports what a traced stage touched without declaring it. A hermetic stage fails because of it, with everything at once, as it would have
 * failed at the first of them without the trace.
 *
 * @param end how the stage's process ended
 */
export async function reportTrace(
  { traceFile, declared, declaration }: Confinement & { readonly traceFile: string },
  instance: StageInstance,
  end: StageEnd,
  context: { readonly environment: NodeJS.ProcessEnv; readonly onEvent: (event: RunEvent) => void },
): Promise<StageEnd> {
  const undeclared = await findUndeclared(readFileAccesses(readLines(traceFile), declaration.projectRoot), {
    declared: await declared(),
    projectRoot: declaration.projectRoot,
    home: context.environment.HOME ?? null,
    temporary: path.resolve(context.environment.TMPDIR ?? os.tmpdir()),
  });
  // Files that are gone again were temporary, as those that `sed -i` renames.
  const lasting = undeclared.filter((one) => one.access === 'read' || existsSync(one.path));
  const yaml = linesToAdd(
    lasting.flatMap((one) => toDeclarable(one, declaration)),
    declaration,
  );
  const { id } = instance;
  context.onEvent({ kind: 'traced', id, undeclared, yaml });
  if (undeclared.length === 0) return end;
  const error = explainUndeclared(undeclared, lasting, declaration);
  if (instance.hermetic && end.kind !== 'interrupted') {
    return { kind: 'failed', code: error.code, text: describeError(error) };
  }
  const text = [error.message, error.fix].join('\n');
  context.onEvent({ kind: 'note', id, level: 'warning', text });
  return end;
}

async function* readLines(file: string): AsyncGenerator<string> {
  let rest = '';
  // Bytes that are no ASCII are escaped.
  for await (const chunk of createReadStream(file, 'latin1') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** @param undeclared at least one */
function explainUndeclared(
  undeclared: readonly UndeclaredAccess[],
  lasting: readonly UndeclaredAccess[],
  declaration: Declaration,
): ReproError {
  const yaml = linesToAdd(lasting, declaration);
  const message = `without declaring it, this stage ${[
    ...listNames('read', undeclared, declaration),
    ...listNames('wrote', undeclared, declaration),
  ].join('; and ')}`;
  const fix: string[] = [];
  if (yaml.length > 0) {
    fix.push(`If its result depends on it, add to stage "${declaration.stage}" in pipeline.yaml:`);
    fix.push(...yaml.slice(0, shownAtMost + 1).map((line) => `  ${line}`));
    if (yaml.length > shownAtMost + 1) fix.push('  …');
  }
  const written = (lasting.length > 0 ? lasting : undeclared).filter((one) => one.access === 'write');
  const advice = new Set(written.map((one) => adviseWrite(one.path, declaration).join('\n')));
  fix.push(...[...advice].slice(0, advisedAtMost));
  return new ReproError('undeclared-files', message, { where: declaration.where, fix: fix.join('\n') });
}

function listNames(
  verb: 'read' | 'wrote',
  undeclared: readonly UndeclaredAccess[],
  declaration: Declaration,
): string[] {
  const names = undeclared
    .filter((one) => one.access === (verb === 'read' ? 'read' : 'write'))
    .map((one) => nameOf(one.path, declaration));
  if (names.length === 0) return [];
  return [`${verb} ${listSome(names, shownAtMost)}`];
}

/** What the pipeline file can declare: for a file written elsewhere, the output to write instead. */
function toDeclarable(one: UndeclaredAccess, declaration: Declaration): UndeclaredAccess[] {
  const output = one.access === 'write' ? proposeOutput(one.path, declaration) : undefined;
  return [output === undefined ? one : { access: 'write', path: output }];
}
