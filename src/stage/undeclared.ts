import path from 'node:path';
import { isAtOrBelow, isBelow } from '../files/path-below.ts';

/** What messages about undeclared files of a stage need to know. */
export interface Declaration {
  readonly stage: string;
  /** Place in the pipeline file: `pipeline.yaml:24:3`. */
  readonly where: string;
  /** Absolute. */
  readonly projectRoot: string;
  /** Without links on the way. */
  readonly realRoot?: string;
  /** Outputs as declared, relative to the project. */
  readonly outputs: readonly string[];
  /** Inputs as declared; absolute. */
  readonly inputs: readonly string[];
}

/** A file that a stage touched, or wanted to, though it does not declare it. */
export interface UndeclaredAccess {
  readonly access: 'read' | 'write';
  /** Absolute. */
  readonly path: string;
}

/** The path as it would be written in the pipeline file, and as messages show it. */
export function nameInPipeline(file: string, { projectRoot }: Declaration): string {
  return isBelow(file, projectRoot) ? path.relative(projectRoot, file) : file;
}

/**
 * The lines of the pipeline file that would declare these; none for what cannot be declared.
 *
 * @returns for example `inputs:` and `  - configs/extra.json`
 */
function linesToAdd(accesses: readonly UndeclaredAccess[], declaration: Declaration): string[] {
  const list = (key: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${key}:`, ...[...new Set(names)].map((one) => `  - ${one}`)];
  const pathsOf = (access: UndeclaredAccess['access']): string[] =>
    accesses.filter((one) => one.access === access).map((one) => one.path);
  const inputs = pathsOf('read').flatMap((file) => {
    const name = nameInPipeline(file, declaration);
    // Neither the runner's own folder, nor what the stage writes itself.
    if ([runnerFolder, ...declaration.outputs].some((one) => areRelated(name, one))) return [];
    return path.isAbsolute(name) ? `{ path: ${quote(name)}, external: true }` : quote(name);
  });
  const outputs = pathsOf('write').flatMap((file) => proposeOutput(file, declaration) ?? []);
  return [...list('inputs', inputs), ...list('outputs', outputs.map(quote))];
}

const runnerFolder = 'artifacts/.cache';

function areRelated(a: string, b: string): boolean {
  return isAtOrBelow(a, b) || isAtOrBelow(b, a);
}

/** The output to declare for a file that a stage writes: below artifacts/, and overlapping no other output nor an input of its stage. */
function proposeOutput(file: string, declaration: Declaration): string | undefined {
  const { stage, outputs, inputs, projectRoot } = declaration;
  if (inputs.some((one) => isAtOrBelow(file, one))) return undefined;
  const name = nameInPipeline(file, declaration);
  const proposed = name.startsWith('artifacts/') ? name : `artifacts/${path.basename(file) || stage}`;
  const read = inputs.map((one) => path.relative(projectRoot, one));
  const others = [runnerFolder, ...outputs, ...read];
  return others.some((one) => areRelated(proposed, one)) ? undefined : proposed;
}

/** A message that names more is read by nobody. */
const shownAtMost = 20;

/** Different kinds of wrong places to write to: more is repetition. */
const advisedAtMost = 3;

/** What to do about files that a stage reads or writes without declaring them, in lines. */
export function adviseAccesses(
  accesses: readonly UndeclaredAccess[],
  declaration: Declaration,
  heading: string,
): string {
  const isRead = ({ access }: UndeclaredAccess): boolean => access === 'read';
  const lines = linesToAdd(accesses.filter(isRead), declaration).map((line) => `  ${line}`);
  const shown = lines.length > shownAtMost + 1 ? [...lines.slice(0, shownAtMost + 1), '  …'] : lines;
  const writes = accesses.filter((one) => !isRead(one));
  const advice = new Set(writes.map((one) => adviseWrite(one.path, declaration)));
  return [...(lines.length > 0 ? [heading, ...shown] : []), ...[...advice].slice(0, advisedAtMost)].join(
    '\n',
  );
}

function adviseWrite(file: string, declaration: Declaration): string {
  const name = nameInPipeline(file, declaration);
  const { inputs, outputs } = declaration;
  const place = (index: number): string => `context.outputs[${index}] (in a command: $REPRO_OUTPUT_${index})`;
  // Also a folder on the way there: `mkdir artifacts`.
  const own = outputs.findIndex((one) => areRelated(name, one));
  if (own >= 0) {
    return `Write to ${place(own)} instead of ${outputs[own]}:\nthe runner moves it there once the stage has succeeded.`;
  }
  if (inputs.some((one) => isAtOrBelow(file, one))) {
    return `A stage must not change its inputs: write a changed copy to ${place(0)}.`;
  }
  const proposed = proposeOutput(file, declaration);
  if (proposed === undefined) return `${name} cannot be an output of this stage: write to ${place(0)}.`;
  return [
    `Write to an output below artifacts/ that the stage declares, here ${place(outputs.length)}:`,
    '  outputs:',
    `    - ${quote(proposed)}`,
    'For temporary files, use os.tmpdir(); to continue after an interruption, `resume:`.',
  ].join('\n');
}

/** Plain where YAML reads it as the same text, also within braces; `${` would begin a reference. */
function quote(name: string): string {
  const text = name.replaceAll('${', '$$${');
  return /^[\w/.][\w/.@+~-]*$/.test(text) && !/^[\d.]+$|^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
