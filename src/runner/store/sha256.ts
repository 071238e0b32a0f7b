/** Whether a value is a sha256 as it is written everywhere here: 64 hexadecimal digits, in lower case. */
export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/**
 * For whatever makes a path or a key of a digest: anything else, such as `../..`, would lead elsewhere. What comes from a file is
 * checked when it is read, so this only fails if such a check is missing.
 */
export function requireSha256(value: string): string {
  if (!isSha256(value)) throw new Error(`${JSON.stringify(value)} is no sha256`);
  return value;
}
