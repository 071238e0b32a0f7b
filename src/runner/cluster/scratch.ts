import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { Scratch } from '../run/execution-context.ts';
import { type ClusterSettings, settingsFile } from './cluster-settings.ts';
import { nameOfThisJob } from './this-job.ts';

/**
 * Makes a new folder on the node's own disk: the stage writes there, and its outputs are copied to the project. It is named after the job, so
 * a killed job that starts again on the same node removes its old one.
 *
 * @returns null without `scratch:`
 * @throws {ReproError} `no-scratch`
 */
export async function makeScratch(
  { scratch, copyInputs }: ClusterSettings,
  environment: NodeJS.ProcessEnv,
): Promise<Scratch | null> {
  if (scratch === null) return null;
  const parent = expandVariables(scratch, environment);
  const folder = path.join(parent, `repro-${nameOfThisJob(environment)}`);
  try {
    await fs.mkdir(parent, { recursive: true });
    await fs.rm(folder, { recursive: true, force: true });
    await fs.mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    throw new ReproError('no-scratch', `scratch folder "${parent}" cannot be used on this node`, {
      where: settingsFile,
      fix: 'Correct `scratch:`, or leave it out.',
      cause,
    });
  }
  return { folder, copyIn: copyInputs ? (inputs) => copyInputsTo(folder, inputs) : null };
}

/** `$NAME` and `${NAME}`, as a shell would. */
function expandVariables(text: string, environment: NodeJS.ProcessEnv): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? '';
    const value = environment[name];
    if (value !== undefined && value !== '') return value;
    throw new ReproError(
      'no-scratch',
      `scratch folder "${text}" needs $${name}, which is not set on this node`,
      {
        where: settingsFile,
        fix: 'Correct `scratch:`, or name the variable under `environment:`.',
      },
    );
  });
}

/** Copies the inputs that exist; the stage reports missing ones itself. */
async function copyInputsTo(folder: string, inputs: readonly string[]): Promise<string[]> {
  const copies: string[] = [];
  for (const [i, input] of inputs.entries()) {
    const copy = path.join(folder, `input-${i}`, path.basename(input));
    await fs.rm(path.dirname(copy), { recursive: true, force: true });
    await fs.mkdir(path.dirname(copy), { recursive: true });
    const isThere = await fs.stat(input).catch(() => null);
    if (isThere !== null) await fs.cp(input, copy, { recursive: true, dereference: true });
    copies.push(copy);
  }
  return copies;
}
