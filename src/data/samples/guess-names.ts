/** What a recording's path says, and how. */
interface GuessedName {
  readonly path: string;
  /** As in a data set's `samples:`, such as `user{user}/{class}_{number}.npy`. */
  readonly names: string;
  readonly class: string;
  /** Digits, or with them what tells two people of one number apart: `f_12`. */
  readonly user: string | null;
}

export interface GuessedNames {
  readonly files: readonly GuessedName[];
  readonly folders: { readonly train: string; readonly test: string } | undefined;
}

/** The layouts that are understood, for messages. */
export const LAYOUTS = [
  'wave/03.npy              a folder for each class',
  'train/wave/03.npy        with test/wave/04.npy',
  'user01/wave/03.npy       or wave/user01/03.npy, wave/user01_03.npy',
  'wave_03.npy              a name that starts with the class, in any of these folders',
  'user01_wave_03.npy       also speaker01, spk_3, f_12, m_03 or eight digits for user01',
] as const;

/** Lower case; the first that is there is taken. */
const TRAIN = ['train', 'training'];
const TEST = ['test', 'testing', 'validation', 'valid', 'val', 'eval'];

/** What comes before a user: a word before digits, or nothing before `f_12`, or eight digits and `end`, unless these are a date. */
const beforeUser = (end: string): string => {
  const date = '(?:19|20)\\d\\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])';
  const word = '(?:user|subject|person|participant|speaker|spk|s|p)[_-]?(?=\\d)';
  return `(?:${word}|(?=[fm][_-]?\\d)|(?=\\d{8}${end})(?!${date}${end}))`;
};
const USER = '(?:[fm][_-]?)?\\d+';
const USER_FOLDER = new RegExp(`^${beforeUser('$')}(${USER})$`, 'i');
const BEFORE = beforeUser('[_. -]');
/** The user first or last, a number at the end, and what is between them. */
const STEM_WITH_USER = new RegExp(
  `^(?:(?<before>${BEFORE})(?<first>${USER})(?<gap>[_. -]|$))?(?<middle>.*?)(?:(?<after>[_. -]${BEFORE})(?<last>${USER}))?(?<space>[_. -]*)(?<number>\\d+)?$`,
  'i',
);
const STEM = /^(?<middle>.*?)(?<space>[_. -]*)(?<number>\d+)?$/;
const FIRST_WORD = /^(?<word>[^\d_. -]+)(?<separator>[_. -]?)/;

/**
 * Guesses how the names of recordings are built: a class, and perhaps a split, a user and a number. The most frequent depth counts: a path
 * of another depth, or beside the folders of the splits or the users, is left out.
 *
 * @param paths below one folder, with `/`
 * @returns null if that gives fewer than two classes, or hardly more recordings than classes
 */
export function guessNames(paths: readonly string[]): GuessedNames | null {
  const depths = new Map<number, string[][]>();
  for (const path of paths) {
    const parts = path.split('/');
    const alike = depths.get(parts.length) ?? [];
    alike.push(parts);
    depths.set(parts.length, alike);
  }
  const rows = [...depths.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  for (const withUsers of [true, false]) {
    for (const wholeStem of [true, false]) {
      const guess = arrange(rows, withUsers, wholeStem);
      if (guess === null) continue;
      const classes = new Set(guess.files.map((file) => file.class)).size;
      if (classes >= 2 && 2 * classes <= guess.files.length) return guess;
    }
  }
  return null;
}

type Role = 'split' | 'user' | 'class';

/** @param wholeStem whether a class in a file's name is all but user and number, or its first word: a date may follow */
function arrange(all: readonly string[][], withUsers: boolean, wholeStem: boolean): GuessedNames | null {
  let rows = all;
  let folders: GuessedNames['folders'];
  const roles: Role[] = [];
  for (let level = 0; level < (all[0]?.length ?? 1) - 1; level++) {
    const names = [...new Set(rows.map((row) => row[level]!))];
    const find = (words: readonly string[]) =>
      words.flatMap((word) => names.find((name) => name.toLowerCase() === word) ?? [])[0];
    const [train, test] = [find(TRAIN), find(TEST)];
    const ofUsers = rows.filter((row) => USER_FOLDER.test(row[level]!));
    if (train !== undefined && test !== undefined && folders === undefined) {
      folders = { train, test };
      rows = rows.filter((row) => [train, test].includes(row[level]!));
      roles.push('split');
    } else if (withUsers && 2 * ofUsers.length > rows.length && !roles.includes('user')) {
      rows = ofUsers;
      roles.push('user');
    } else roles.push('class');
  }
  if (roles.filter((role) => role === 'class').length > 1) return null;
  const classLevel = roles.indexOf('class');
  const userLevel = roles.indexOf('user');
  const named = rows.map((row) => {
    const [, stem = '', ending = ''] = /^(.*?)(\.[^.]+)$/.exec(row.at(-1)!) ?? [];
    const parts = (withUsers ? STEM_WITH_USER : STEM).exec(stem)?.groups ?? {};
    const user = userLevel < 0 ? (parts.first ?? parts.last) : USER_FOLDER.exec(row[userLevel]!)?.[1];
    return { row, ending, parts, user };
  });
  if (withUsers && named.some(({ user }) => user === undefined)) return null;
  // Numbers of recordings, in which nobody would be twice.
  if (withUsers && new Set(named.map(({ user }) => user)).size === named.length) return null;
  const isNumbered = named.every(({ parts }) => parts.number !== undefined);
  const hasMore = named.some(({ parts }) => `${parts.middle}${parts.space}` !== '');
  const files = named.flatMap(({ row, ending, parts, user }): GuessedName[] => {
    const { before = '', first, gap = '', middle = '', after = '', last, space = '', number } = parts;
    const mark = (digits: string | undefined): string =>
      digits === undefined ? '' : digits === user ? '{user}' : '*';
    const digits = isNumbered ? '{number}' : number === undefined ? '' : '*';
    const start = `${before}${mark(first)}${gap}`;
    const end = `${after}${mark(last)}`;
    const word = FIRST_WORD.exec(middle)?.groups;
    const label = classLevel >= 0 ? row[classLevel]! : wholeStem ? middle : word?.word;
    if (label === undefined || label === '') return [];
    const name =
      classLevel >= 0
        ? `${start}${hasMore ? '*' : ''}${end}${end === '' ? '' : space}${digits}`
        : wholeStem
          ? `${start}{class}${end}${space}${digits}`
          : `${start}{class}${word?.separator}*`;
    const above = roles.map((role, i) => (role === 'user' ? row[i]!.replace(user!, '{user}') : `{${role}}`));
    const names = [...above, `${name}${ending}`].join('/').replace(/\*+/g, '*');
    return [{ path: row.join('/'), names, class: label, user: user ?? null }];
  });
  return { files, folders };
}
