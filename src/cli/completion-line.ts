/** The words of a line as bash splits it, up to the cursor; the last one is still being typed, and may be empty. */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
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
  return [...words, word ?? ''];
}
