import { ReproError } from '../../errors.ts';
import { type Place, type Problem, throwProblems } from '../../schema/problems.ts';
import type { Session } from './session.ts';

/**
 * Compiles the stage modules of instances, as their fingerprints need it anyway, so that an error in one is known before hours are spent on
 * others.
 *
 * @throws {ConfigurationError} with the place of each module's first error
 */
export async function checkCode(session: Session, ids: readonly string[]): Promise<void> {
  const problems: Problem[] = [];
  const checked = new Set<string>();
  for (const id of ids) {
    const command = session.plan.instances.get(id)?.command;
    if (command?.kind !== 'module' || checked.has(command.path)) continue;
    checked.add(command.path);
    try {
      await session.closures.find(command.path);
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push({ at: toPlace(error.where ?? command.path), message: error.message, fix: error.fix });
    }
  }
  throwProblems(problems);
}

function toPlace(where: string): Place {
  const [, file, line, column] = /^(.+):(\d+):(\d+)$/.exec(where) ?? [];
  return file === undefined ? where : { file, line: Number(line), column: Number(column) };
}
