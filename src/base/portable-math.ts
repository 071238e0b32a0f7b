/**
 * Functions using only additions, multiplications, divisions and comparisons, which IEEE 754 fixes to the last bit.
 * Those of `Math` may differ in the last bit from one JavaScript engine, or version of it, to the next, and one
 * such bit moves an event by a microsecond and changes a file's digest. `Math.sqrt` and `Math.floor` are exact everywhere.
 */

const TWO_PI = 6.283185307179586;

/** `sin(2π · turns)`, to 1e-11 absolute. */
export function sineOfTurns(turns: number): number {
  let r = turns - Math.floor(turns + 0.5);
  if (r > 0.25) r = 0.5 - r;
  else if (r < -0.25) r = -0.5 - r;
  const x = r * TWO_PI;
  const q = x * x;
  // Taylor's series to x^15, nested; the next term is below 1e-11 at a quarter turn.
  const tail = 1 - (q / 110) * (1 - (q / 156) * (1 - q / 210));
  return x * (1 - (q / 6) * (1 - (q / 20) * (1 - (q / 42) * (1 - (q / 72) * tail))));
}

/** `cos(2π · turns)`, to 1e-11 absolute. */
export function cosineOfTurns(turns: number): number {
  return sineOfTurns(turns + 0.25);
}

/**
 * Natural logarithm, to 1e-13 relative or absolute, whichever is larger.
 *
 * @throws {RangeError} if the value is not a finite number > 0
 */
export function naturalLog(value: number): number {
  if (!(value > 0 && value < Infinity))
    throw new RangeError(`naturalLog: expected a number > 0, got ${value}`);
  let mantissa = value;
  let halvings = 0;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    halvings++;
  }
  while (mantissa > Math.SQRT2) {
    mantissa /= 2;
    halvings--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const q = s * s;
  // ln m = 2 artanh s; |s| < 0.172, so the term after s^15 is below 1e-13.
  let sum = 0;
  for (let power = 15; power >= 1; power -= 2) sum = sum * q + 1 / power;
  return 2 * s * sum - halvings * Math.LN2;
}

/** `e^x` for 0 <= x <= 30, to 1e-13 relative: the term after x^100 is below that. */
export function exponential(x: number): number {
  let sum = 1;
  for (let n = 100; n > 0; n--) sum = 1 + (x / n) * sum;
  return sum;
}

/** Smooth step from 0 to 1 with flat ends: `3s² − 2s³` with s clamped to [0, 1]. */
export function smoothStep(s: number): number {
  const c = Math.max(0, Math.min(1, s));
  return c * c * (3 - 2 * c);
}
