import type { Interval } from './stats/proportions.ts';
/** A share as a percentage with one decimal and a non-breaking space, `95.5 %`. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)}\u00a0%`;
}

/** Two shares as a range, `93.1–97.8 %`. */
export function formatPercentRange(low: number, high: number): string {
  return `${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)}\u00a0%`;
}

/** A difference of shares in percentage points, `+1.4 points`. */
export function formatPoints(difference: number, signed = true): string {
  const tenths = Math.round(1000 * difference);
  const sign = tenths < 0 ? '−' : signed && tenths > 0 ? '+' : '';
  return `${sign}${(Math.abs(tenths) / 10).toFixed(1)}\u00a0points`;
}

/** `+1.4`, where the unit stands elsewhere. */
export function formatBarePoints(difference: number): string {
  return formatPoints(difference).replace('\u00a0points', '');
}

/** `−5.0 to +0.5 points`. */
export function formatPointsRange(low: number, high: number): string {
  return `${formatBarePoints(low)} to ${formatPoints(high)}`;
}

/** `−5.0 to +0.5`, where the unit stands elsewhere. */
export function formatBareRange({ low, high }: Interval): string {
  return `${formatBarePoints(low)} to ${formatBarePoints(high)}`;
}

/** A whole number with narrow spaces as thousands separators. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `one clip`, `12 clips`. */
export function formatQuantity(count: number, singular: string): string {
  return `${groupDigits(count)} ${singular}${count === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The titles that share a text, by text: each once, in their order. */
export function groupTitles(
  pairs: readonly (readonly [text: string, title: string])[],
): [text: string, titles: string[]][] {
  const groups = new Map<string, Set<string>>();
  for (const [text, title] of pairs) groups.set(text, (groups.get(text) ?? new Set()).add(title));
  return [...groups].map(([text, titles]) => [text, [...titles]]);
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** Small numbers as words, larger ones in digits. */
export function spellCount(count: number): string {
  return WORDS[count] ?? groupDigits(count);
}

/** `one seed`, `20 seeds`. */
export function spellQuantity(count: number, singular: string): string {
  return `${spellCount(count)} ${singular}${count === 1 ? '' : 's'}`;
}

/** `λ, weight of …` stays, `Pooling` becomes `pooling`. */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Adds a full stop unless the text ends with one, as in "No Reg." */
export function endSentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

/** The items that are there: for lists, texts and captions of which some parts depend on the run. */
export function present<Item>(...items: readonly (Item | false | null | undefined)[]): Item[] {
  return items.filter((item): item is Item => item !== false && item !== null && item !== undefined);
}

/** The sentences that are there, as one text. */
export function sentences(...texts: readonly (string | false | null | undefined)[]): string {
  return present(...texts).join(' ');
}

/** Where something is stated, `section 4.3, page 7, table 1`; a section without a number is in quotes. */
export function namePlace({
  section,
  page,
  at,
}: {
  readonly section: string;
  readonly page?: number | null;
  readonly at?: string | null;
}): string {
  return present(
    `section ${/^\d/.test(section) ? section : `“${section}”`}`,
    page ? `page ${page}` : null,
    at,
  ).join(', ');
}
