import { statSync } from 'node:fs';
import path from 'node:path';
import { describeError } from '../errors.ts';
import { writeFilesAtomic } from '../files/atomic-file.ts';
import { explainDiskError } from '../files/disk-error.ts';
import { TIMELINE_FILES } from '../report/data/timeline-files.ts';
import type { TimelineSession } from '../report/figures/timeline.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { cacheFolderOf } from '../runner/store/cache-folder.ts';
import { nameConfiguration, openRecords, type RunRecord } from '../runner/store/records.ts';
import type { Warn } from './load-plan.ts';

export type { TimelineSession, TimelineSpan } from '../report/figures/timeline.ts';

/** The last successful runs of some instances. */
export interface RecordedTimeline {
  readonly sessions: readonly TimelineSession[];
  /** Ids of those that never succeeded here. */
  readonly missing: readonly string[];
}

export function readTimeline(plan: Plan, ids: Iterable<string>): RecordedTimeline {
  const records = openRecords(plan);
  const found = [...ids].map((id) => ({ id, record: records.findLast(id) }));
  return {
    sessions: arrangeTimeline(found.flatMap(({ record }) => record ?? [])),
    missing: found.filter(({ record }) => record === null).map(({ id }) => id),
  };
}

/** A pause longer than this separates sessions: on one time axis, it would leave no room for what happened. */
const LONGEST_PAUSE_SECONDS = 60;

/**
 * The last runs of some instances by their start, in sessions. A graph may have several: an instance that was up to date keeps the time of
 * the run that made its outputs.
 */
export function arrangeTimeline(records: readonly RunRecord[]): TimelineSession[] {
  const sorted = records
    .map((record) => ({ record, start: Date.parse(record.startedAt) / 1000 }))
    .sort((a, b) => a.start - b.start || (a.record.id < b.record.id ? -1 : 1));
  const groups: { start: number; end: number; members: typeof sorted }[] = [];
  for (const one of sorted) {
    const end = one.start + one.record.seconds;
    const last = groups.at(-1);
    if (last === undefined || one.start > last.end + LONGEST_PAUSE_SECONDS) {
      groups.push({ start: one.start, end, members: [one] });
    } else {
      last.members.push(one);
      last.end = Math.max(last.end, end);
    }
  }
  return groups.map(({ start, end, members }) => ({
    startedAt: new Date(start * 1000).toISOString(),
    seconds: end - start,
    hosts: [...new Set(members.map(({ record }) => record.host))].sort(),
    profiles: [...new Set(members.map(({ record }) => nameConfiguration(record)))].sort(),
    spans: members.map(({ record, start: at }) => ({
      id: record.id,
      stage: record.stage,
      startSeconds: at - start,
      seconds: record.seconds,
      totalSeconds: record.totalSeconds ?? null,
      peakMemoryBytes: record.peakMemoryBytes,
      host: record.host,
      profile: record.profile,
      configuration: nameConfiguration(record),
    })),
  }));
}

/**
 * The timeline as files: an SVG that follows the reader's colour scheme, and all its values. Loads a plotting library.
 *
 * @param timeline with at least one session
 */
export async function drawTimelineFiles({
  sessions,
  missing,
}: RecordedTimeline): Promise<{ readonly svg: string; readonly csv: string }> {
  const { followColorScheme } = await import('../report/drawing/palette.ts');
  const { toCsv } = await import('../report/drawing/figure.ts');
  const { renderFigure } = await import('../report/drawing/render.ts');
  const { drawTimeline } = await import('../report/figures/timeline.ts');
  const { figure, notice } = drawTimeline(sessions, missing);
  const { sheet } = await renderFigure(figure, notice);
  return { svg: followColorScheme(sheet), csv: toCsv(figure.data) };
}

/**
 * After a run: writes the timeline of the plan to the folder under `timeline:` in pipeline.yaml, unless it is up to date. A failure is only
 * a warning, since the results of the run are complete.
 *
 * @param hasNews whether the run made or restored something
 */
export async function keepTimeline(plan: Plan, hasNews: boolean, warn: Warn): Promise<void> {
  if (plan.timeline === undefined) return;
  const folder = path.join(plan.projectRoot, plan.timeline);
  const picture = path.join(folder, TIMELINE_FILES.picture);
  const data = path.join(folder, TIMELINE_FILES.data);
  try {
    // Each new record changes the time of its folder, also one that a job wrote after its run.
    const isOutdated = Math.min(timeMs(picture), timeMs(data)) < timeMs(cacheFolderOf(plan).records);
    if (!hasNews && !isOutdated) return;
    const timeline = readTimeline(plan, plan.instances.keys());
    if (timeline.sessions.length === 0) return;
    const { svg, csv } = await drawTimelineFiles(timeline);
    await writeFilesAtomic([
      { file: data, content: csv },
      { file: picture, content: svg },
    ]);
  } catch (error) {
    const problem = describeError(explainDiskError(error)).replaceAll(/\s*\n\s*| {2,}/g, ' ');
    warn(
      `${plan.timeline}  the timeline was not written: ${problem}\n  Results are not affected. Once this is mended, the next run writes it.`,
    );
  }
}

/** When a file or a folder was last changed; 0 if that cannot be told: writing says what is in its place. */
function timeMs(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
