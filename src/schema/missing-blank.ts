/**
 * What to do about `epochs:8`, which YAML takes for one word: `A blank is missing after the colon: "epochs: 8".`
 *
 * @param text a line, or a text that was found where a mapping or a key belongs
 */
export function mendMissingBlank(text: string): string | undefined {
  // What follows a colon and is no slash: an address such as https://… is meant as it is.
  const [, key, value] = /^\s*(?:- )?([A-Za-z_][\w-]*):([^\s:/].*)$/.exec(text.split('\n', 1)[0] ?? '') ?? [];
  if (key === undefined || value === undefined) return undefined;
  return `A blank is missing after the colon: "${key}: ${value.trim()}".`;
}
