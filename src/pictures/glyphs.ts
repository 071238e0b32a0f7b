/** Rows of a character, for the numbers of steps and the mark SIMULATED; # is ink. Every character is 5 high; the digits are all 3 wide. */
const GLYPHS: Readonly<Record<string, readonly string[]>> = {
  '0': ['###', '# #', '# #', '# #', '###'],
  '1': [' # ', '## ', ' # ', ' # ', '###'],
  '2': ['###', '  #', '###', '#  ', '###'],
  '3': ['###', '  #', ' ##', '  #', '###'],
  '4': ['# #', '# #', '###', '  #', '  #'],
  '5': ['###', '#  ', '###', '  #', '###'],
  '6': ['###', '#  ', '###', '# #', '###'],
  '7': ['###', '  #', '  #', ' # ', ' # '],
  '8': ['###', '# #', '###', '# #', '###'],
  '9': ['###', '# #', '###', '  #', '###'],
  A: [' # ', '# #', '###', '# #', '# #'],
  D: ['## ', '# #', '# #', '# #', '## '],
  E: ['###', '#  ', '## ', '#  ', '###'],
  I: ['#', '#', '#', '#', '#'],
  L: ['#  ', '#  ', '#  ', '#  ', '###'],
  M: ['#   #', '## ##', '# # #', '#   #', '#   #'],
  S: [' ##', '#  ', ' # ', '  #', '## '],
  T: ['###', ' # ', ' # ', ' # ', ' # '],
  U: ['# #', '# #', '# #', '# #', '###'],
  ' ': ['  ', '  ', '  ', '  ', '  '],
};

/** Height of a line of text, in dots. */
export const GLYPH_HEIGHT = 5;

/** A dot of ink, from the left and the top of the text. */
interface Dot {
  readonly x: number;
  readonly y: number;
}

/**
 * Sets a line of text in dots, one dot between characters. A font would be a dependency, and its rendering would differ from machine to machine.
 *
 * @throws {RangeError} for a character that is not here
 */
export function setText(text: string): Dot[] {
  const dots: Dot[] = [];
  let left = 0;
  for (const character of text) {
    const rows = GLYPHS[character];
    if (rows === undefined)
      throw new RangeError(`"${text}" has a character that cannot be drawn: "${character}"`);
    for (const [y, row] of rows.entries()) {
      for (let x = 0; x < row.length; x++) if (row[x] === '#') dots.push({ x: left + x, y });
    }
    left += rows[0]!.length + 1;
  }
  return dots;
}
