/** A string stands for its characters, a number for a byte. */
export type Part = string | number | readonly number[] | Uint8Array;

/** The bytes of a pickle. */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part === 'string') return [...Buffer.from(part, 'latin1')];
      return typeof part === 'number' ? part : [...part];
    }),
  );
}

/** The opcode of a string, up to 255 characters. */
export const text = (value: string): Uint8Array => bytesOf('X', value.length, 0, 0, 0, value);
