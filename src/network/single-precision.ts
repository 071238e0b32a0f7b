/*
 * Elementary functions in single precision, rounded like PyTorch's vectorised CPU kernels (x86-64 with FMA), except for the last.
 * JavaScript's Math is more accurate and therefore gives other last bits: seeds would not give PyTorch's numbers.
 */
const round = Math.fround;

/**
 * `a · b + c` rounded once to single precision. The product of two singles is exact in a double; rounding the sum to a
 * double first differs from a true FMA about once in 2^29 operations.
 */
export function multiplyAdd(a: number, b: number, c: number): number {
  return round(a * b + c);
}

const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);

/** Horner's rule with FMA; coefficients from the highest power down. */
function polynomial(x: number, coefficients: Float32Array): number {
  let sum = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) sum = multiplyAdd(sum, x, coefficients[i]!);
  return sum;
}

const expCoefficients = Float32Array.of(
  0.00019852761761285365,
  0.0013930435525253415,
  0.008333360776306309,
  0.041666485369205475,
  0.1666666716337204,
  0.5,
);
const log2e = round(Math.LOG2E);
const ln2High = round(0.693145751953125);
const ln2Low = round(1.428606765330187e-6);

/**
 * e^x within 1 ULP, for |x| < 87: x is reduced by integer multiples of ln 2, the rest is a polynomial.
 *
 * @see SLEEF 3, expf with error bound 1.0 ULP
 */
export function expSingle(x: number): number {
  const power = Math.round(round(x * log2e));
  const rest = multiplyAdd(power, -ln2Low, multiplyAdd(power, -ln2High, x));
  const tail = multiplyAdd(round(rest * rest), polynomial(rest, expCoefficients), rest);
  return round(1 + tail) * 2 ** power;
}

const logCoefficients = Float32Array.of(0.3027294874, 0.3996108174, 0.666669488);
const ln2 = round(0.6931471824645996);
const ln2Rest = round(-1.904654323148236e-9);
const fourThirds = round(1 / 0.75);

/**
 * ln x within 1 ULP, for normal x > 0: 2 artanh((m - 1) / (m + 1)) + e · ln 2 with sums held in two singles.
 *
 * @see SLEEF 3, logf with error bound 1.0 ULP
 */
export function logSingle(x: number): number {
  single[0] = round(x * fourThirds);
  const exponent = (bits[0]! >>> 23) - 127; // brings the mantissa to 0.75 .. 1.5
  const mantissa = x * 2 ** -exponent;

  const above = round(mantissa - 1);
  const aboveRest = rest(-1, mantissa, above);
  const below = round(mantissa + 1);
  const belowRest = rest(1, mantissa, below);
  const inverse = round(1 / below);
  const ratio = round(above * inverse);
  const inverseError = multiplyAdd(-belowRest, inverse, multiplyAdd(-below, inverse, 1));
  const ratioRest = multiplyAdd(
    ratio,
    inverseError,
    multiplyAdd(aboveRest, inverse, multiplyAdd(inverse, above, -ratio)),
  );

  const square = round(ratio * ratio);
  const series = round(round(square * ratio) * polynomial(square, logCoefficients));
  const scaled = round(ln2 * exponent);
  const scaledRest = multiplyAdd(ln2Rest, exponent, multiplyAdd(ln2, exponent, -scaled));
  const sum = round(scaled + 2 * ratio);
  const sumRest = round(round(round(round(scaled - sum) + 2 * ratio) + scaledRest) + 2 * ratioRest);
  const total = round(sum + series);
  const totalRest = round(round(round(sum - total) + series) + sumRest);
  return round(total + totalRest);
}

/** The rounding error of `sum`, the rounded a + b. */
function rest(a: number, b: number, sum: number): number {
  const bRounded = round(sum - a);
  return round(round(a - round(sum - bRounded)) + round(b - bRounded));
}

const fastLogCoefficients = Float32Array.of(
  7.0376836292e-2,
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
const halfRoot = round(Math.SQRT1_2);
const fastLn2High = 0.693359375;
const fastLn2Low = round(-2.1219444e-4);

/**
 * ln x for normal x > 0, as PyTorch computes it inside its vectorised normal draws.
 *
 * @see Moshier, Cephes, logf; the order of roundings is that of an FMA build
 */
export function fastLogSingle(x: number): number {
  single[0] = x;
  let exponent = (bits[0]! >>> 23) - 126;
  bits[0] = (bits[0]! & 0x807fffff) | 0x3f000000;
  let fraction = single[0]!; // 0.5 .. 1
  if (fraction < halfRoot) {
    exponent -= 1;
    fraction = round(round(fraction - 1) + fraction);
  } else {
    fraction = round(fraction - 1);
  }
  const square = round(fraction * fraction);
  const cubic = round(polynomial(fraction, fastLogCoefficients) * fraction);
  const tail = multiplyAdd(-square, 0.5, multiplyAdd(cubic, square, round(exponent * fastLn2Low)));
  return multiplyAdd(exponent, fastLn2High, round(fraction + tail));
}

const cosCoefficients = Float32Array.of(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2);
const sinCoefficients = Float32Array.of(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1);
const fourOverPi = round(4 / Math.PI);
const quarterPi = [-0.78515625, round(-2.4187564849853516e-4), round(-3.774894977445941e-8)] as const;

/**
 * sin x and cos x for 0 <= x < 8192, as PyTorch computes them inside its vectorised normal draws.
 *
 * @param out receives [sin x, cos x]
 * @see Moshier, Cephes, sinf and cosf
 */
export function fastSinCosSingle(x: number, out: Float32Array): void {
  const octant = (Math.trunc(round(x * fourOverPi)) + 1) & ~1;
  const reduced = multiplyAdd(
    octant,
    quarterPi[2],
    multiplyAdd(octant, quarterPi[1], multiplyAdd(octant, quarterPi[0], x)),
  );
  const square = round(reduced * reduced);
  const evenTail = round(polynomial(square, cosCoefficients) * square);
  const even = round(multiplyAdd(evenTail, square, -0.5 * square) + 1);
  const odd = multiplyAdd(round(polynomial(square, sinCoefficients) * square), reduced, reduced);
  const swapped = (octant & 2) !== 0;
  const sine = swapped ? even : odd;
  const cosine = swapped ? odd : even;
  out[0] = octant & 4 ? -sine : sine;
  out[1] = (octant - 2) & 4 ? cosine : -cosine;
}

const sigmoidCoefficients = Float32Array.of(
  1.98756915e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
);
const toWhole = 12582912; // 1.5 · 2^23: behind it, singles have no fraction

/**
 * `1 / (1 + e^−w)` as the native engine's kernels compute it without FMA, such as in WebAssembly (native/src/kernels/sigmoid.h).
 *
 * @see Moshier, Cephes, expf
 */
export function sigmoidSingle(w: number): number {
  const x = Math.max(-87, Math.min(87, -w)); // beyond, the result is 0 or 1 to the last digit
  const power = round(round(round(x * log2e) + toWhole) - toWhole);
  const r = round(round(power * -fastLn2Low) + round(round(power * -fastLn2High) + x));
  let sum = sigmoidCoefficients[0]!;
  for (const coefficient of sigmoidCoefficients.subarray(1)) sum = round(round(sum * r) + coefficient);
  const exponential = round(round(round(round(sum * r) * r) + r) + 1) * 2 ** power;
  return round(1 / round(exponential + 1));
}
