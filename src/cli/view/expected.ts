import type { RunEvent } from '../../runner/events.ts';
import type { ExpectedTime, ExpectedTotal } from '../../runner/expected-time.ts';
import { formatAbout } from './format.ts';

/** ` (on this machine)`, where the others go to a cluster. */
export function describePlace({ staysHere }: Extract<RunEvent, { kind: 'would-run' }>): string {
  return staysHere === true ? ' (on this machine)' : '';
}

/** ` for about 3 minutes`; nothing if unknown. */
export function describeExpected(expected: ExpectedTime | null): string {
  if (expected === null) return '';
  const doubt = expected.from === 'own-run' ? '' : ', like others of its stage';
  return ` for about ${aboutOf(expected.seconds)}${doubt}`;
}

/** How long the whole run would take; null if nothing is known. */
export function describeTotal({ seconds, unknown }: ExpectedTotal, toRun: number): string | null {
  if (toRun === 0) return null;
  const missing = unknown === 1 ? 'one stage has no earlier run' : `${unknown} stages have no earlier run`;
  if (unknown === toRun) return `expected time: unknown, since this profile has not run here`;
  const about = aboutOf(seconds);
  return unknown === 0 ? `expected time: about ${about}` : `expected time: more than ${about}: ${missing}`;
}

/** Earlier runs do not tell tenths of a second. */
function aboutOf(seconds: number): string {
  return seconds < 1 ? 'a second' : formatAbout(seconds);
}
