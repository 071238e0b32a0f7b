import process from 'node:process';
import { ReproError, unreachable } from '../../errors.ts';
import type { Figure } from '../../report/figures/figure.ts';
import { openRecords } from '../../runner/cache/records.ts';
import { selectInstances } from '../../runner/selection.ts';
import { arrangeTimeline, type TimelineSession } from '../../runner/timeline.ts';
import { loadSelectedPlan, type PipelineOptions, printJson } from '../load.ts';
import { timelineLines } from './timeline-lines.ts';

interface TimelineOptions extends PipelineOptions {
  readonly format: 'text' | 'svg' | 'csv' | 'json';
  readonly json?: boolean;
}

/** `repro timeline`: when each stage last ran, for how long, and with how much memory. */
export async function timeline(targets: readonly string[], options: TimelineOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { named } = selectInstances(plan, { targets });
  const records = openRecords(plan);
  const found = [...named].map((id) => ({ id, record: records.findLast(id) }));
  const sessions = arrangeTimeline(found.flatMap(({ record }) => record ?? []));
  const missing = found.filter(({ record }) => record === null).map(({ id }) => id);
  const format = options.json === true ? 'json' : options.format;
  switch (format) {
    case 'json':
      printJson({ version: 1, command: 'timeline', profile: plan.profile, sessions, missing });
      return;
    case 'text':
      for (const line of timelineLines(sessions, missing)) process.stdout.write(`${line}\n`);
      return;
    case 'svg': {
      const { renderFigure } = await import('../../report/figures/render.ts');
      const { sheet } = await renderFigure(await drawSessions(sessions, plan.profile), null);
      process.stdout.write(sheet);
      return;
    }
    case 'csv': {
      const { toCsv } = await import('../../report/figures/figure.ts');
      process.stdout.write(toCsv((await drawSessions(sessions, plan.profile)).data));
      return;
    }
    default:
      unreachable(format);
  }
}

/** @throws {ReproError} `no-records` if there is nothing to draw */
async function drawSessions(sessions: readonly TimelineSession[], profile: string): Promise<Figure> {
  if (sessions.length === 0) {
    throw new ReproError('no-records', `none of these stages of profile ${profile} has run`, {
      fix: 'Run them first: `repro run`.',
    });
  }
  const { drawTimeline } = await import('../../report/figures/timeline.ts');
  return drawTimeline(
    sessions.map(({ startedAt, profiles, spans }) => ({ startedAt, profiles, bars: spans })),
  );
}
