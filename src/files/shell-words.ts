/** Words of a command line as a person can paste them into a shell. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/** One word, quoted if it has to be. */
export function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(word)) return `$'${escapeControls(word)}'`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The form that bash, zsh and ksh read: pasted as it is, a line break or an escape sequence would act on the terminal. */
function escapeControls(word: string): string {
  return (
    word
      .replace(/[\\']/g, (one) => `\\${one}`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, (one) => {
        if (one === '\n') return '\\n';
        if (one === '\t') return '\\t';
        return [...Buffer.from(one)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
      })
  );
}
