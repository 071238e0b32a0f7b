import { distance } from 'fastest-levenshtein';

/**
 * The known name that was probably meant, or undefined if none is close enough.
 * Letter case is ignored; up to two in five characters may differ, and never more than three; or the letters
 * are the same.
 */
export function findClosest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (candidate === name) continue;
    const length = Math.max(name.length, candidate.length);
    const allowed = Math.min(3, Math.max(1, Math.floor(length * 0.4)));
    if (Math.abs(name.length - candidate.length) > allowed) continue;
    const lower = candidate.toLowerCase();
    const found = haveSameLetters(wanted, lower) ? 1 : distance(wanted, lower);
    if (found <= allowed && found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

/** `rnu` for `run`: the most common typo in short words, which costs two by Levenshtein's count. */
function haveSameLetters(name: string, other: string): boolean {
  return [...name].sort().join('') === [...other].sort().join('');
}

/** `Closest: "epochs".`, or, if nothing is close and the list is short, `Known: "a", "b".` */
export function suggestName(name: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const closest = findClosest(name, names);
  if (closest !== undefined) return `Closest: ${JSON.stringify(closest)}.`;
  if (names.length === 0 || names.length > 12) return undefined;
  return `Known: ${names.map((one) => JSON.stringify(one)).join(', ')}.`;
}
