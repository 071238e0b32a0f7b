/** Whether a value from a file is what its reader expects. */
export type Check = (value: unknown) => boolean;

/** Far deeper than what this program writes, far less than what overflows the stack of whatever visits every value. */
const deepest = 100;

/**
 * Parses JSON that others may have written.
 *
 * @throws {SyntaxError} if it is not JSON, or nested too deeply
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isNestedDeeper(value, deepest)) throw new SyntaxError('nested too deeply');
  return value;
}

function isNestedDeeper(value: unknown, levels: number): boolean {
  if (!isObjectOrList(value)) return false;
  return levels === 0 || Object.values(value).some((one) => isNestedDeeper(one, levels - 1));
}

/** An object with the fields of `T`, each as checked; others do not count. */
export function shape<T>(fields: Readonly<Record<keyof T, Check>>): (value: unknown) => value is T {
  const checks = Object.entries<Check>(fields);
  return (value): value is T =>
    isObjectOrList(value) && checks.every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

export function mapOf(check: Check): Check {
  return (value) => isObjectOrList(value) && !Array.isArray(value) && Object.values(value).every(check);
}

export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

export function oneOf(...values: readonly unknown[]): Check {
  return (value) => values.includes(value);
}

/** Also a field that is not there. */
export function optionalField(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function nullable(check: Check): Check {
  return (value) => value === null || check(value);
}

export function isObjectOrList(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
