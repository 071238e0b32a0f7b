import type { RunEvent } from './events.ts';
import type { Freshness } from './freshness/freshness.ts';
import { durationOf } from './store/duration.ts';

/** What is, or in a rehearsal would be, done about an instance that need not run. */
export function createHitEvent(
  id: string,
  freshness: Extract<Freshness, { kind: 'fresh' | 'restorable' }>,
  isRehearsal: boolean,
): RunEvent {
  const damaged = freshness.kind === 'fresh' ? [] : freshness.damaged;
  return {
    kind: 'cached',
    id,
    restored: damaged.flatMap(({ names }) => names),
    removed: damaged.flatMap(({ strangers }) => strangers),
    isRehearsal,
    made: { metrics: freshness.record.metrics, totalSeconds: durationOf(freshness.record) },
  };
}
