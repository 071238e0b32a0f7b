import process from 'node:process';
import { ReproError, unreachable } from '../../errors.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { loadPlanForReading, type PipelineOptions, printJson } from '../load.ts';
import { timelineLines } from './timeline-lines.ts';
import { readTimeline } from './timeline-records.ts';

interface TimelineOptions extends PipelineOptions {
  readonly format: 'text' | 'svg' | 'csv' | 'json';
  readonly json?: boolean;
}

/** `repro timeline`: when each stage last ran, for how long, and with how much memory. */
export async function timeline(targets: readonly string[], options: TimelineOptions): Promise<void> {
  const plan = await loadPlanForReading(options);
  const { named } = selectInstances(plan, { targets });
  const { sessions, missing } = readTimeline(plan, named);
  const format = options.json === true ? 'json' : options.format;
  switch (format) {
    case 'json':
      printJson({ version: 1, command: 'timeline', profile: plan.profile, sessions, missing });
      return;
    case 'text':
      for (const line of timelineLines(sessions, missing, process.stdout.columns))
        process.stdout.write(`${line}\n`);
      return;
    case 'svg':
    case 'csv': {
      if (sessions.length === 0) {
        throw new ReproError('no-records', `none of these stages of profile ${plan.profile} has run`, {
          fix: 'Run them first: `repro run`.',
        });
      }
      const drawn = await (await import('./timeline-drawing.ts')).drawSessions(sessions, missing);
      process.stdout.write(drawn[format]);
      return;
    }
    default:
      unreachable(format);
  }
}
