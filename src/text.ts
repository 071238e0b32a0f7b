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
