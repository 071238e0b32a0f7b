import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describeError, ReproError } from '../../../src/base/errors.ts';
import { loadPlan, type PlanRequest } from '../../../src/runner/plan/load.ts';
import type { Plan } from '../../../src/runner/plan/plan.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A project in a temporary folder that is deleted after the test; every `run:` module in the examples exists. */
export async function makeProject(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = await temporaryFolder();
  const all = { 'stages/a.ts': '', 'stages/b.ts': '', 'stages/c.ts': '', ...files };
  for (const [name, content] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
  return root;
}

/** The plan of a project with this pipeline file. */
export async function planOf(
  pipeline: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  request: Partial<PlanRequest> = {},
): Promise<Plan> {
  const projectRoot = await makeProject({ 'pipeline.yaml': pipeline, ...files });
  return loadPlan({ projectRoot, ...request });
}

/** The message the user sees when this fails; it must fail with a user-facing error. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome === undefined) throw new Error('no failure');
  if (!(outcome instanceof ReproError)) throw outcome;
  return describeError(outcome);
}

/** The message the user sees when this pipeline is loaded. */
export function refusalOf(
  pipeline: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  request: Partial<PlanRequest> = {},
): Promise<string> {
  return failureOf(planOf(pipeline, files, request));
}
