import type { RunEvent } from '../../runner/run/events.ts';
import type { ExpectedTime, ExpectedTotal } from '../../runner/run/expected-time.ts';
import { formatAbout } from './format.ts';
import { toOneLine } from './safe-text.ts';

/** ` (on this machine)`, where the others go to a cluster. */
export function describePlace({ staysHere }: Extract<RunEvent, { kind: 'would-run' }>): string {
  return staysHere === true ? ' (on this machine)' : '';
}

/** ` for about 3 minutes`; nothing if unknown. */
export function describeExpected(expected: ExpectedTime | null): string {
  if (expected === null) return '';
  const { seconds, from, scaledBy = [] } = expected;
  const source = {
    'own-run': '',
    'other-settings': ', as with other settings',
    'same-stage': ', like others of its stage',
  };
  const scaling = scaledBy.length === 0 ? '' : `, scaled by ${scaledBy.map(toOneLine).join(' and ')}`;
  return ` for about ${aboutOf(seconds)}${source[from]}${scaling}`;
}

/** How long the whole run would take; null if nothing is known. */
export function describeTotal({ seconds, unknown }: ExpectedTotal, toRun: number): string | null {
  if (toRun === 0) return null;
  const missing =
    unknown === 1
      ? 'one stage has no comparable earlier run'
      : `${unknown} stages have no comparable earlier run`;
  if (unknown === toRun)
    return `expected time: unknown, since this profile has no comparable earlier run here`;
  const about = aboutOf(seconds);
  return unknown === 0 ? `expected time: about ${about}` : `expected time: more than ${about}: ${missing}`;
}

/** Earlier runs do not tell tenths of a second. */
function aboutOf(seconds: number): string {
  return seconds < 1 ? 'a second' : formatAbout(seconds);
}
