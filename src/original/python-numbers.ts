/**
 * A finite float as Python's `repr` prints it: the shortest digits that give it back, with a point, and with an exponent below 1e-4
 * and from 1e16 on. JavaScript has the same digits, but no point in whole numbers, and its exponents start elsewhere.
 *
 * @see https://docs.python.org/3/library/functions.html#repr and `float.__repr__`, format code `r`
 */
export function formatPythonFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  // Between 1e-4 and 1e16 JavaScript writes no exponent either.
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** What Python's `float` makes of a text, for finite numbers in decimal notation; undefined for all else. */
export function parsePythonFloat(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** What Python's `int` makes of a text; undefined for all else, and beyond what JavaScript counts exactly. */
export function parsePythonInt(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
