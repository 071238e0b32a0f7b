import type { StaleReason } from './events.ts';

/** Why an instance runs that was asked to run again. */
export const forcedReason: StaleReason = { cue: 'forced', text: 'forced' };

/** Which instances run even if nothing changed: all, or these. */
export function forceCheck(force: ReadonlySet<string> | boolean | undefined): (id: string) => boolean {
  return typeof force === 'object' ? (id) => force.has(id) : () => force === true;
}
