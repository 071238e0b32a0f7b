/** How far apart two values may be: `absolute` plus a share of the baseline's. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** How far off a value is, above 1 too far, and in words. */
export interface Part {
  readonly size: number;
  readonly text: string;
}

export function compareValue(
  what: string,
  before: number | undefined,
  now: number | undefined,
  tolerance: Tolerance,
): Part {
  if (before === undefined || now === undefined) {
    return {
      size: Number.POSITIVE_INFINITY,
      text: `${what}: in the ${now === undefined ? 'baseline' : 'run'} only`,
    };
  }
  const allowed = tolerance.absolute + tolerance.relative * Math.abs(before);
  const size = before === now ? 0 : Math.abs(now - before) / allowed;
  return {
    size: Number.isNaN(size) ? Number.POSITIVE_INFINITY : size,
    text: `${what} ${format(now)}, ${format(before)} in the baseline${before === now ? '' : `, allowed ±${format(allowed)}`}`,
  };
}

/** The part that is furthest off. */
export function findWorst(parts: readonly Part[]): Part {
  const [first, ...rest] = parts;
  if (first === undefined) return { size: Number.POSITIVE_INFINITY, text: 'there is nothing that both have' };
  return rest.reduce((worst, part) => (part.size > worst.size ? part : worst), first);
}

/** What was compared, and what is furthest off; `what` in the plural. */
export function describeParts(what: string, parts: readonly Part[]): Part {
  const worst = findWorst(parts);
  const count = `${parts.length} ${what}`;
  return {
    size: worst.size,
    text: worst.size === 0 ? `${count}: equal` : `${count}, furthest off: ${worst.text}`,
  };
}

function format(value: number): string {
  return String(Number(value.toPrecision(4)));
}
