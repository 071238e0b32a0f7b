import type { RunEvent } from '../../runner/run/events.ts';

/** What was, or would be, done to the outputs of an instance that need not run; null if they are intact. */
export function describeHit(event: Extract<RunEvent, { kind: 'cached' }>): string | null {
  const { restored, removed, isRehearsal } = event;
  const parts: string[] = [];
  if (restored.length > 0) {
    parts.push(`${isRehearsal ? 'would restore' : 'restored'} from the store: ${restored.join(', ')}`);
  }
  if (removed.length > 0) {
    parts.push(
      `${isRehearsal ? 'would set aside' : 'took out'} files not made by the stage: ${removed.join(', ')}`,
    );
  }
  return parts.length === 0 ? null : parts.join('; ');
}

/** ` (job 29_0)`, of what ended while nobody watched; otherwise nothing. */
export function describeJobOf({ job }: Extract<RunEvent, { kind: 'finished' }>): string {
  return job === undefined ? '' : ` (job ${job})`;
}
