/** A text of at most so many characters; the last one shows that some are missing. */
export function shortenText(text: string, lengthAtMost: number): string {
  return text.length <= lengthAtMost ? text : `${text.slice(0, lengthAtMost - 1)}…`;
}

/** More names than this do not help the reader. */
const namesAtMost = 3;

/** The first few names, and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, namesAtMost).join(', ');
  return names.length <= namesAtMost ? shown : `${shown} and ${names.length - namesAtMost} more`;
}
