import type { EventAddon } from './event-functions.ts';
import { loadExports } from './load-addon.ts';

let found: EventAddon | null | undefined;

/** The addon; null if it is not there, or was compiled before it could do this. */
export function findEventAddon(): EventAddon | null {
  if (found === undefined) {
    const loaded = loadExports();
    found = loaded.ok && isEventAddon(loaded.exports) ? loaded.exports : null;
  }
  return found;
}

function isEventAddon(value: unknown): value is EventAddon {
  if (typeof value !== 'object' || value === null) return false;
  const { areRegular, countEvents } = value as Partial<EventAddon>;
  return typeof areRegular === 'function' && typeof countEvents === 'function';
}
