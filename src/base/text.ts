/** Each byte as the character of that number (ISO 8859-1). A TextDecoder reads 0x80 to 0x9f as others. */
export function latin1Text(bytes: Uint8Array): string {
  return bytes.reduce((text, byte) => text + String.fromCharCode(byte), '');
}

/** The first few items, and how many more there are: `a, b and 3 more`. */
export function listSome(items: readonly string[], mostShown = 5): string {
  const shown = items.slice(0, mostShown).join(', ');
  return items.length <= mostShown
    ? shown
    : `${shown} and ${(items.length - mostShown).toLocaleString('en-US')} more`;
}

/** A text of at most so many characters; `…` at the end shows that it was cut. */
export function shortenText(text: string, mostCharacters: number): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters - 1)}…`;
}

/** Breaks a text between words, so that no line is longer, unless a word is. */
export function wrapText(text: string, length: number): string {
  return text.split(' ').reduce((lines, word) => {
    const line = lines.slice(lines.lastIndexOf('\n') + 1);
    const glue = lines === '' ? '' : line.length + 1 + word.length > length ? '\n' : ' ';
    return lines + glue + word;
  }, '');
}

/** `1 clip`, `1,234 clips`. @param noun whose plural has an s */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `2026-11-27 10:15 UTC`, of a time as `Date.toISOString` writes it. */
export function formatMinute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

/** `12 B`, `3.4 kB`, `1.2 GB`, in decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for HTML, SVG and XML, in elements and in quoted attributes. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Text on one line, with Markdown's special characters escaped. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .replace(/[\\`*_{}[\]<>|#~]/g, (character) =>
      character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`,
    );
}

/** C0, DEL, C1, line and paragraph separators, and the characters that reorder text or are not seen. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200b\u2060\ufeff]/gu;

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

/** A share from 0 to 1 as a percentage: `66.7 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
