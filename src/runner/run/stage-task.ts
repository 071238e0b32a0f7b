import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { isSameJson } from '../../files/canonical-json.ts';
import type { StageTask } from '../../stage/protocol.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { ExecutionContext, Work } from './execution-context.ts';
import type { OpenedResume, ResumeFolder } from './resume-folder.ts';
import { nameInputs, type StartState } from './start-state.ts';

/** Makes ready what an attempt starts with: its resume folders, and an empty place for each output. */
export async function prepareTask(
  context: ExecutionContext,
  { instance, fingerprint, parts, grant }: Work,
  temporary: string,
  resume: readonly ResumeFolder[],
  start: StartState,
): Promise<StageTask> {
  const { session } = context;
  const resumePaths: string[] = [];
  for (const [i, folder] of resume.entries()) {
    if (context.remote !== undefined) {
      // Opened on that machine: its facts decide whether what is there belongs to this work.
      resumePaths.push(folder.absolute);
      continue;
    }
    const opened = await folder.open(fingerprint, nameInputs(start));
    resumePaths.push(opened.absolute);
    for (const text of describeOpened(instance.resume[i] ?? '', opened)) {
      context.onEvent({ kind: 'note', id: instance.id, level: 'note', text });
    }
  }
  const outputs: string[] = [];
  for (const [i, output] of instance.outputs.entries()) {
    const folder = path.join(temporary, `output-${i}`);
    await fs.rm(folder, { recursive: true, force: true });
    await fs.mkdir(folder, { recursive: true });
    outputs.push(path.join(folder, path.basename(output)));
  }
  await fs.mkdir(temporary, { recursive: true });
  const { command } = instance;
  const code =
    command.kind === 'module' ? { module: await findBundle(session, command.path, parts) } : command;
  const inputs = instance.inputs.map((input) => path.resolve(session.plan.projectRoot, input.path));
  const namedInputs = nameInputsOf(instance, inputs);
  return {
    ...code,
    kind: command.kind,
    id: instance.id,
    params: instance.params,
    matrix: instance.matrix,
    facts: parts.facts,
    inputs,
    ...(namedInputs === null ? {} : { namedInputs }),
    outputs,
    resume: resumePaths,
    cpus: grant.cpus,
  };
}

/** @throws {ReproError} `input-changed` if the code is no longer what the fingerprint says: other stages that start have it read anew */
async function findBundle(session: Session, module: string, parts: FingerprintParts): Promise<string> {
  const { bundleFile, files, packages } = await session.closures.find(module);
  if (isSameJson([files, packages], [parts.code, parts.packages])) return bundleFile;
  throw new ReproError('input-changed', 'its code or its packages changed while it was about to start', {
    where: module,
    fix: 'Run it again.',
  });
}

/** A path for each name, or several for an entry with a reference to a list; null if the inputs have no names. */
function nameInputsOf(
  { inputs }: StageInstance,
  paths: readonly string[],
): NonNullable<StageTask['namedInputs']> | null {
  if (inputs.length === 0) return null;
  const named: Record<string, string | string[]> = {};
  for (const [i, { name }] of inputs.entries()) {
    if (name === undefined) return null;
    const [file = '', before] = [paths[i], named[name]];
    named[name] = before === undefined ? file : [before, file].flat();
  }
  return named;
}

const texts: Readonly<Record<OpenedResume['other'], string | null>> = {
  none: null,
  'set-aside':
    'belongs to other code, inputs, parameters or facts and was set aside; it comes back when they run again',
  emptied:
    'belonged to no recorded run, or may come from a changed input, and was emptied: the stage starts over',
};

export function describeOpened(name: string, { other, isBack }: OpenedResume): string[] {
  const back = isBack ? 'was set aside earlier and is back: resuming from it' : null;
  return [texts[other], back].filter((text) => text !== null).map((text) => `${name} ${text}`);
}
