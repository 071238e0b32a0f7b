/**
 * A finite float as Python's `repr` prints it: the shortest digits that read back as the same number, with a decimal point, and with an
 * exponent below 1e-4 and from 1e16 on. JavaScript prints the same digits, but whole numbers without a point, and other exponents.
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
  // Between 1e-4 and 1e16, JavaScript uses no exponent either.
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** Parses like Python's `float`, but only finite numbers in decimal notation; undefined for anything else. */
export function parsePythonFloat(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Parses like Python's `int`; undefined for anything else, and for integers too large for JavaScript. */
export function parsePythonInt(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
