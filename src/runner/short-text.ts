/** A text of at most so many characters; the last one shows that some are missing. */
export function shortenText(text: string, lengthAtMost: number): string {
  return text.length <= lengthAtMost ? text : `${text.slice(0, lengthAtMost - 1)}…`;
}
