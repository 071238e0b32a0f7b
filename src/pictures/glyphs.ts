/** Rows of a character; # is ink. Every character is 5 high; the digits are all 3 wide. */
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
  B: ['## ', '# #', '## ', '# #', '## '],
  C: [' ##', '#  ', '#  ', '#  ', ' ##'],
  D: ['## ', '# #', '# #', '# #', '## '],
  E: ['###', '#  ', '## ', '#  ', '###'],
  F: ['###', '#  ', '## ', '#  ', '#  '],
  G: [' ###', '#   ', '# ##', '#  #', ' ###'],
  H: ['# #', '# #', '###', '# #', '# #'],
  I: ['#', '#', '#', '#', '#'],
  J: ['  #', '  #', '  #', '# #', ' # '],
  K: ['# #', '# #', '## ', '# #', '# #'],
  L: ['#  ', '#  ', '#  ', '#  ', '###'],
  M: ['#   #', '## ##', '# # #', '#   #', '#   #'],
  N: ['#  #', '## #', '# ##', '#  #', '#  #'],
  O: [' ## ', '#  #', '#  #', '#  #', ' ## '],
  P: ['## ', '# #', '## ', '#  ', '#  '],
  Q: [' ## ', '#  #', '#  #', '# # ', ' # #'],
  R: ['## ', '# #', '## ', '# #', '# #'],
  S: [' ##', '#  ', ' # ', '  #', '## '],
  T: ['###', ' # ', ' # ', ' # ', ' # '],
  U: ['# #', '# #', '# #', '# #', '###'],
  V: ['# #', '# #', '# #', '# #', ' # '],
  W: ['#   #', '#   #', '# # #', '## ##', '#   #'],
  X: ['# #', '# #', ' # ', '# #', '# #'],
  Y: ['# #', '# #', ' # ', ' # ', ' # '],
  Z: ['###', '  #', ' # ', '#  ', '###'],
  ' ': ['  ', '  ', '  ', '  ', '  '],
  '-': ['   ', '   ', '###', '   ', '   '],
  '.': [' ', ' ', ' ', ' ', '#'],
  ',': ['  ', '  ', '  ', ' #', '# '],
  '/': ['  #', '  #', ' # ', '#  ', '#  '],
};

/** Height of a line of text, in dots. */
export const GLYPH_HEIGHT = 5;

/** A dot of ink, from the left and the top of the text. */
interface Dot {
  readonly x: number;
  readonly y: number;
}

/**
 * Sets a line of text in dots, one dot between characters. Steps and a mark for simulated data are all that pictures have to say; a
 * font would be a dependency, and its rendering would differ from machine to machine.
 *
 * @throws {RangeError} for anything but capitals, digits, spaces and `-.,/`
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
