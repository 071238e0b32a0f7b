/** C0, DEL, C1, line and paragraph separators, and the characters that reorder text. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Makes text from a file safe to print: escapes control characters (`\u001b`), which could move the cursor, rename the
 * window or forge a line, and bidirectional overrides, which could disguise what a line says.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A name from a file, in quotes and cut to `most` characters. */
export function quoteName(name: string, most = 80): string {
  return escapeControls(JSON.stringify(name.slice(0, most)));
}
