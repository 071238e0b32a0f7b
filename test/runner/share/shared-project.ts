import { openRemote } from '../../../src/runner/share/open-remote.ts';
import { type PullOptions, pullPlan } from '../../../src/runner/share/pull.ts';
import { type PushOptions, pushPlan } from '../../../src/runner/share/push-plan.ts';
import type { Remote } from '../../../src/runner/share/remote.ts';
import type { RunRecord } from '../../../src/runner/store/records.ts';
import { createPlan } from '../rig/plan.ts';
import { createProject, type Project } from '../rig/project.ts';
import { makeStorage, s3Missing, s3Title } from './storage.ts';

/** The kinds of storage that there are; what a machine lacks is skipped. */
export const kinds = [
  { kind: 'folder', title: 'a folder', isMissing: false },
  { kind: 's3', title: s3Title, isMissing: s3Missing !== undefined },
] as const;

/** `a` makes a folder, `b` reads a file of it. */
export async function createCopy(content = 'one'): Promise<Project> {
  const project = await createProject();
  await project.write('in.txt', content);
  project.define([
    {
      id: 'a',
      run: [
        'sh',
        '-ec',
        'mkdir -p "$REPRO_OUTPUT_0/sub"; cat in.txt > "$REPRO_OUTPUT_0/x"; echo yy > "$REPRO_OUTPUT_0/sub/y"; : > "$REPRO_OUTPUT_0/empty"; cat in.txt > "$REPRO_OUTPUT_0/same"',
      ],
      inputs: ['in.txt'],
      outputs: ['artifacts/a'],
    },
    {
      id: 'b',
      run: ['sh', '-ec', 'echo b > "$REPRO_OUTPUT_0"; cat "$REPRO_INPUT_0" >> "$REPRO_OUTPUT_0"'],
      inputs: ['artifacts/a/x'],
      outputs: ['artifacts/b.txt'],
    },
  ]);
  return project;
}

/** Uploads everything that is up to date. */
export function push(project: Project, remote: Remote, options: Partial<PushOptions> = {}) {
  const plan = createPlan(project.description);
  return pushPlan(plan, { remote, facts: {}, selected: new Set(plan.instances.keys()), ...options });
}

/** Fetches everything, unless told otherwise. */
export function pull(project: Project, remote: Remote, options: Partial<PullOptions> = {}) {
  const plan = createPlan(project.description);
  const all = new Set(plan.instances.keys());
  return pullPlan(plan, { remote, facts: {}, selected: all, named: all, ...options });
}

/** `a pushed, b present` */
export const statesOf = (all: readonly { id: string; state: string }[]): string =>
  all.map(({ id, state }) => `${id} ${state}`).join(', ');

/** The last record of an instance, which must have one. */
export async function recordOf(project: Project, id: string): Promise<RunRecord> {
  const record = (await project.status()).find((one) => one.id === id)?.record;
  if (record === null || record === undefined) throw new Error(`${id} has no record`);
  return record;
}

/** A remote that counts, and fails from its n-th transfer on. */
export function watch(remote: Remote, failAfter = Number.POSITIVE_INFINITY) {
  const seen = { uploads: 0, files: 0 };
  const count = (key: keyof typeof seen): void => {
    seen[key] += 1;
    if (seen.uploads + seen.files > failAfter) throw new Error('the network is gone');
  };
  const watched: Remote = {
    address: remote.address,
    sizeOf: (key) => remote.sizeOf(key),
    open: async (key) => {
      if (key.includes('/files/')) count('files');
      return remote.open(key);
    },
    write: async (key, content, signal) => {
      if (typeof content !== 'string') count('uploads');
      await remote.write(key, content, signal);
    },
  };
  return { watched, seen };
}

/** A project that has run, and an empty remote. */
export async function createRun(kind: 'folder' | 's3', content?: string) {
  const project = await createCopy(content);
  const { outcome } = await project.run();
  if (outcome !== 'ok') throw new Error(`the run ended ${outcome}`);
  return { project, remote: await openRemote(await makeStorage(kind), project.root) };
}

/** The same, after its results were pushed. */
export async function createPushed(kind: 'folder' | 's3', content?: string) {
  const run = await createRun(kind, content);
  await push(run.project, run.remote);
  return run;
}
