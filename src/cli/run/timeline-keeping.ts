import { statSync } from 'node:fs';
import path from 'node:path';
import { describeError, hasErrorCode } from '../../errors.ts';
import { writeFilesAtomic } from '../../files/atomic-file.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { TIMELINE_FILES } from '../../report/data/timeline-files.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { printWarning } from '../lines.ts';
import type { RunState } from '../view/run-state.ts';
import { toOneLine } from '../view/safe-text.ts';
import { readTimeline } from './timeline-records.ts';

/**
 * After a run: writes the timeline of all instances of the plan to the folder under `timeline:` in pipeline.yaml, if there is one and what is
 * there is not of the last records. A failure is a warning: the results of the run are complete.
 */
export async function keepTimeline(plan: Plan, state: RunState): Promise<void> {
  if (plan.timeline === undefined) return;
  const folder = path.join(plan.projectRoot, plan.timeline);
  const picture = path.join(folder, TIMELINE_FILES.picture);
  const data = path.join(folder, TIMELINE_FILES.data);
  try {
    if (!isOutdated([picture, data], plan, state)) return;
    const { sessions, missing } = readTimeline(plan, plan.instances.keys());
    if (sessions.length === 0) return;
    const { svg, csv } = await (await import('./timeline-drawing.ts')).drawSessions(sessions, missing);
    await writeFilesAtomic([
      { file: data, content: csv },
      { file: picture, content: svg },
    ]);
  } catch (error) {
    const problem = toOneLine(describeError(explainDiskError(error))).replaceAll(/ {2,}/g, ' ');
    printWarning(
      `${plan.timeline}  the timeline was not written: ${problem}\n  Results are not affected. Once this is mended, the next run writes it.`,
    );
  }
}

/** Whether the files are missing, or older than a record. */
function isOutdated(files: readonly string[], plan: Plan, state: RunState): boolean {
  const hasNews = [...state.instances.values()].some(
    (one) => one.state === 'finished' || one.restored.length > 0,
  );
  if (hasNews) return true;
  // Every record is renamed into its folder, which changes the folder's time; so does a job on a cluster that ended after its run.
  const recordedNs = timeNs(cacheFolderOf(plan).records);
  return files.some((file) => {
    const writtenNs = timeNs(file);
    return writtenNs === null || (recordedNs !== null && writtenNs < recordedNs);
  });
}

function timeNs(file: string): bigint | null {
  try {
    return statSync(file, { bigint: true }).mtimeNs;
  } catch (error) {
    // Writing says what is in the folder's place, and how to mend it.
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
