/** Fewer say too little of the values between them. */
const TICKS_AT_LEAST = 3;

/**
 * The ticks of a logarithmic axis: powers of ten; where there are few of them, also their double and fivefold, since a grid of all nine
 * between two would be grey; below one decade all nine. An axis that is too short even for those has equal steps.
 */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const digits = high / low < 10 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : to - from > 3 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    .flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
    .filter((tick) => tick >= low && tick <= high);
  return ticks.length < TICKS_AT_LEAST ? evenTicks(low, high) : ticks;
}

/** Multiples of one, two or five times a power of ten: the largest step that gives enough of them. */
function evenTicks(low: number, high: number): number[] {
  if (!(high > low)) return [low];
  for (let power = Math.floor(Math.log10(high - low)); ; power--) {
    for (const digit of [5, 2, 1]) {
      const step = Number(`${digit}e${power}`);
      const first = Math.ceil(low / step);
      const count = Math.floor(high / step) - first + 1;
      // Rounded, because 7 * 0.1 is not 0.7.
      const ticks = Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
      if (ticks.length >= TICKS_AT_LEAST) return ticks;
    }
  }
}
