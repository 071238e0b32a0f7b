import path from 'node:path';
import { isAtOrBelow, isBelow, withSlashes } from '../files/path-below.ts';

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
  /** What other stages write, relative to the project, as far as it is known. */
  readonly taken?: readonly string[];
}

/** A file that a stage touched, or wanted to, though it does not declare it. */
export interface UndeclaredAccess {
  readonly access: 'read' | 'write';
  /** Absolute. */
  readonly path: string;
}

/** The path as it would be written in the pipeline file, and as messages show it. */
export function nameOf(file: string, { projectRoot }: Declaration): string {
  return isBelow(file, projectRoot) ? withSlashes(path.relative(projectRoot, file)) : file;
}

/**
 * The lines of the pipeline file that would declare these; none for what cannot be declared.
 *
 * @returns for example `inputs:` and `  - configs/extra.json`
 */
export function linesToAdd(accesses: readonly UndeclaredAccess[], declaration: Declaration): string[] {
  const list = (key: string, access: UndeclaredAccess['access']): string[] => {
    const names = accesses
      .filter((one) => one.access === access)
      .map((one) => nameOf(one.path, declaration))
      .filter((name) => (access === 'read' ? isNewInput : isNewOutput)(name, declaration))
      .map((name) =>
        path.isAbsolute(name) ? `{ path: ${quote(name, true)}, external: true }` : quote(name),
      );
    return names.length === 0 ? [] : [`${key}:`, ...[...new Set(names)].map((one) => `  - ${one}`)];
  };
  return [...list('inputs', 'read'), ...list('outputs', 'write')];
}

/** Whether it can be an input: not the runner's own folder, nor what the stage writes itself. */
function isNewInput(name: string, { outputs }: Declaration): boolean {
  return !isAtOrBelow(name, runnerFolder) && !outputs.some((one) => areRelated(name, one));
}

/** Whether the pipeline file may declare it: no output may overlap another output, or an input of its stage. */
function isNewOutput(name: string, { outputs, inputs, projectRoot, taken = [] }: Declaration): boolean {
  const read = inputs.map((one) => withSlashes(path.relative(projectRoot, one)));
  const others = [runnerFolder, ...outputs, ...read, ...taken];
  return name.startsWith('artifacts/') && !others.some((one) => areRelated(name, one));
}

const runnerFolder = 'artifacts/.cache';

function areRelated(a: string, b: string): boolean {
  return isAtOrBelow(a, b) || isAtOrBelow(b, a);
}

/**
 * The output to declare instead of a file that a stage writes elsewhere; undefined if there is none.
 *
 * @returns absolute, below artifacts/
 */
export function proposeOutput(file: string, declaration: Declaration): string | undefined {
  const isInput = declaration.inputs.some((one) => isAtOrBelow(file, one));
  const name = nameOf(file, declaration);
  if (isInput || name.startsWith('artifacts/')) return undefined;
  const proposed = `artifacts/${path.basename(file)}`;
  return isNewOutput(proposed, declaration) ? path.join(declaration.projectRoot, proposed) : undefined;
}

/** What to do about a file that a stage may not write. */
export function adviseWrite(file: string, declaration: Declaration): string[] {
  const name = nameOf(file, declaration);
  const { stage, inputs, outputs } = declaration;
  // Also a folder on the way there: `mkdir artifacts`.
  const output = outputs.findIndex((one) => areRelated(name, one));
  if (output >= 0) {
    return [
      `Write to context.outputs[${output}] (in a command: $REPRO_OUTPUT_${output}) instead of ${outputs[output]}:`,
      'the runner moves it there once the stage has succeeded.',
    ];
  }
  if (inputs.some((one) => isAtOrBelow(file, one))) {
    return [
      'A stage must not change its inputs: write a changed copy to context.outputs[0] (in a command: $REPRO_OUTPUT_0).',
    ];
  }
  if (isNewOutput(name, declaration)) {
    const next = outputs.length;
    return [
      'Add it to the stage in pipeline.yaml:',
      ...linesToAdd([{ access: 'write', path: file }], declaration).map((line) => `  ${line}`),
      `and write to context.outputs[${next}] (in a command: $REPRO_OUTPUT_${next}).`,
    ];
  }
  if (declaration.taken?.some((one) => areRelated(name, one)) === true) {
    return [`${name} belongs to another stage: write to context.outputs[0] (in a command: $REPRO_OUTPUT_0).`];
  }
  return [
    'Write to an output below artifacts/ that the stage declares:',
    '  outputs:',
    `    - ${quote(`artifacts/${path.basename(file) || stage}`)}`,
    'For temporary files, use os.tmpdir(); to continue after an interruption, `resume:`.',
  ];
}

/** Plain where YAML reads it as the same text; `${` would begin a reference. */
function quote(name: string, isInFlow = false): string {
  const text = name.replaceAll('${', '$$${');
  const isPlain = isInFlow ? /^[\w/.][\w/.@+~-]*$/ : /^[\w/.][\w/.@+~ ()-]*[\w/.@+~()-]$|^[\w/.]$/;
  return isPlain.test(text) && !/^[\d.]+$|^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
