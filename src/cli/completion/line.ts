/** A quote that is not closed yet. */
export type OpenQuote = '' | "'" | '"';

/** A line up to the cursor. */
export interface TypedLine {
  /** The last one is still being typed, and may be empty. */
  readonly words: readonly string[];
  readonly quote: OpenQuote;
}

/** The words of a line as bash splits it. */
export function splitLine(line: string): TypedLine {
  const words: string[] = [];
  let word: string | undefined;
  let quote: OpenQuote = '';
  for (let at = 0; at < line.length; at += 1) {
    const one = line[at] ?? '';
    if (quote === "'") {
      if (one === "'") quote = '';
      else word += one;
    } else if (one === '\\' && (quote === '' || '"\\$`'.includes(line[at + 1] ?? ''))) {
      at += 1;
      word = (word ?? '') + (line[at] ?? '');
    } else if (quote === '"') {
      if (one === '"') quote = '';
      else word += one;
    } else if (one === '"' || one === "'") {
      quote = one;
      word ??= '';
    } else if (/\s/.test(one)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;]/.test(one)) {
      // Another command begins: what came before is not ours.
      words.length = 0;
      word = undefined;
    } else word = (word ?? '') + one;
  }
  return { words: [...words, word ?? ''], quote };
}

/** A word as bash would read it back where it is inserted; nothing in it may act as more than a character. */
export function quoteForBash(word: string, quote: OpenQuote): string {
  // Not with quotes: what several candidates have in common should continue what is typed.
  if (quote === '') return word.replace(/[^\w@%+=:,./\u0080-\uffff-]/g, (one) => `\\${one}`);
  const inside =
    quote === "'"
      ? word.replaceAll("'", `'\\''`)
      : // Even between double quotes, ! names an earlier command.
        word.replace(/[\\"$`]/g, (one) => `\\${one}`).replaceAll('!', `"'!'"`);
  // bash closes the quote of the only candidate, unless that ends as if it were closed.
  return inside.endsWith(quote) ? `${inside}${quote}` : inside;
}
