/**
 * What to do about `epochs:8`, which YAML reads as one word: `A space is missing after the colon: "epochs: 8".`
 *
 * @param text a line, or text found where a mapping or a key belongs
 */
export function fixMissingSpace(text: string): string | undefined {
  // A slash after the colon is excluded: an address such as https://… is intended.
  const [, key, value] = /^\s*(?:- )?([A-Za-z_][\w-]*):([^\s:/].*)$/.exec(text.split('\n', 1)[0] ?? '') ?? [];
  if (key === undefined || value === undefined) return undefined;
  return `A space is missing after the colon: "${key}: ${value.trim()}".`;
}
