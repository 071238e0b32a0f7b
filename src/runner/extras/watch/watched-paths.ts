import path from 'node:path';
import { ReproError } from '../../../errors.ts';
import { ConfigurationError } from '../../../schema/problems.ts';
import type { Facts } from '../../freshness/fingerprint.ts';
import { openSession, type Session, saveDigests } from '../../freshness/session.ts';
import { listMakers, makersOf } from '../../plan/graph.ts';
import type { Plan, StageInstance } from '../../plan/plan.ts';

/** What to watch; absolute. A path that does not exist yet is watched for its creation. */
export interface WatchedPaths {
  /** Files, and folders with everything in them. */
  readonly paths: ReadonlySet<string>;
  /** What the runner itself writes, inside them: these folders and everything in them do not count. */
  readonly leftOut: ReadonlySet<string>;
}

/**
 * Everything that the selected instances depend on and that no stage makes: source files of their import closures, scripts, inputs,
 * external data included, and package-lock.json.
 */
export async function listWatchedPaths(
  plan: Plan,
  options: { readonly selected: ReadonlySet<string>; readonly facts: Facts },
): Promise<WatchedPaths> {
  const session = openSession(plan, options);
  const { projectRoot } = plan;
  const paths = new Set([path.join(projectRoot, 'package-lock.json')]);
  for (const id of options.selected) {
    const instance = plan.instances.get(id);
    if (instance === undefined) continue;
    for (const file of await listCode(session, instance)) paths.add(path.resolve(projectRoot, file));
    for (const input of instance.inputs) {
      // What stages make is below artifacts/, where nothing else in a folder with outputs counts.
      const isMade = listMakers(makersOf(plan, instance, input.path)).length > 0;
      if (!isMade) paths.add(path.resolve(projectRoot, input.path));
    }
  }
  await saveDigests(session);
  const made = [...plan.instances.values()].flatMap((one) => [...one.outputs, ...one.resume]);
  const artifacts = path.dirname(session.folder.root);
  return {
    paths,
    leftOut: new Set([artifacts, ...made.map((one) => path.resolve(projectRoot, one))]),
  };
}

async function listCode(session: Session, { command }: StageInstance): Promise<string[]> {
  if (command.kind === 'command') return Object.keys(await session.inputs.digestArguments(command.argv));
  try {
    return Object.keys((await session.closures.find(command.path)).files);
  } catch (error) {
    // It does not compile, so its imports are unknown. Those that it had before are watched still.
    return [command.path, ...listBlamedFiles(error)];
  }
}

/** The files that an error names, relative to the project or absolute: changing one of them may mend it. */
export function listBlamedFiles(error: unknown): string[] {
  if (error instanceof ConfigurationError) {
    return error.problems.flatMap(({ at }) => (typeof at === 'string' ? [] : [at.file]));
  }
  if (!(error instanceof ReproError) || error.where === undefined) return [];
  const file = /^(.+?):\d+:\d+$/.exec(error.where)?.[1];
  return file === undefined ? [] : [file];
}
