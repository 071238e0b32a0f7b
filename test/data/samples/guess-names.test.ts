import { describe, expect, test } from 'vitest';
import { guessNames } from '../../../src/data/samples/guess-names.ts';

/** Templates, classes, users and how many of the paths fit. */
function guess(...paths: readonly string[]) {
  const found = guessNames(paths);
  if (found === null) return null;
  const { files } = found;
  const unique = <T>(of: (file: (typeof files)[number]) => T) => [...new Set(files.map(of))];
  return [
    unique(({ names }) => names).join(' | '),
    unique((file) => file.class).join(),
    unique(({ user }) => user).join(),
    files.length,
  ];
}

/** With each of these at the place of the class, and each number once. */
const both = (...names: readonly string[]) =>
  names.flatMap((name) => ['wave', 'clap'].map((label) => name.replace('C', label)));

describe('the names of recordings', () => {
  test.each([
    ['a folder for each class', both('C/01.npy', 'C/2.npy'), '{class}/{number}.npy', ''],
    [
      'other words and formats',
      both('C/a_C_1.npy', 'C/b2.bin'),
      '{class}/*{number}.npy | {class}/*{number}.bin',
      '',
    ],
    ['no numbers', both('C/a.npy', 'C/b2.npy'), '{class}/*.npy', ''],
    ['users above', both('user01/C/1.npy', 'user02/C/1.npy'), 'user{user}/{class}/{number}.npy', '01,02'],
    ['users below', both('C/P_1/1.npy', 'C/P_2/1.npy'), '{class}/P_{user}/{number}.npy', '1,2'],
    ['users in the names', both('C/s1_3.npy', 'C/s2_3.npy'), '{class}/s{user}_{number}.npy', '1,2'],
    ['the class first', both('C_03.npy', 'C_1.npy'), '{class}_{number}.npy', ''],
    [
      'a user before the class',
      both('user02_C_3.npy', 'user1_C_3.npy'),
      'user{user}_{class}_{number}.npy',
      '02,1',
    ],
    ['a user behind it', both('C_s2_3.npy', 'C_s1_3.npy'), '{class}_s{user}_{number}.npy', '2,1'],
    [
      'users in both places',
      both('s1/s1_C_3.npy', 's2/s2_C_3.npy'),
      's{user}/s{user}_{class}_{number}.npy',
      '1,2',
    ],
    [
      'eight digits of a user',
      both('C/00000001_NO_01.npy', 'C/00000012_NO_02.npy'),
      '{class}/{user}_*{number}.npy',
      '00000001,00000012',
    ],
    [
      'eight digits above',
      both('00000001/C/1.npy', '00000002/C/1.npy'),
      '{user}/{class}/{number}.npy',
      '00000001,00000002',
    ],
    [
      'speakers',
      both('C/speaker01_3.npy', 'C/speaker02_3.npy'),
      '{class}/speaker{user}_{number}.npy',
      '01,02',
    ],
    [
      'speakers behind the class',
      both('C_spk_3_1.npy', 'C_spk_4_1.npy'),
      '{class}_spk_{user}_{number}.npy',
      '3,4',
    ],
    ['women and men', both('f_12_C_1.npy', 'm_12_C_1.npy'), '{user}_{class}_{number}.npy', 'f_12,m_12'],
    ['women and men behind', both('C_f_12_1.npy', 'C_M3_1.npy'), '{class}_{user}_{number}.npy', 'f_12,M3'],
    ['women and men above', both('C/f_1/1.npy', 'C/m_1/1.npy'), '{class}/{user}/{number}.npy', 'f_1,m_1'],
    ['eight digits of a day', both('C/20260102_1.npy', 'C/20260103_1.npy'), '{class}/*{number}.npy', ''],
    ['seven digits', both('C/0000001_1.npy', 'C/0000002_1.npy'), '{class}/*{number}.npy', ''],
    ['eight digits at the end', both('C_00000001.npy', 'C_00000002.npy'), '{class}_{number}.npy', ''],
    ['eight digits only', both('C/00000001.npy', 'C/00000002.npy'), '{class}/{number}.npy', ''],
    [
      'a number that no other has',
      ['wave/m_1.npy', 'wave/m_2.npy', 'clap/m_3.npy', 'clap/m_4.npy'],
      '{class}/*{number}.npy',
      '',
    ],
    ['a date', both('C_2026-01-02.npy', 'C_2026-01-03.npy', 'C_2027-01-02.npy'), '{class}_*.npy', ''],
  ])('may have %s', (_, paths, names, users) => {
    expect(guess(...paths)).toEqual([names, 'wave,clap', users, paths.length]);
  });

  test('may have splits, as folders in any case', () => {
    const paths = both('Train/C/1.npy', 'Train/C/2.npy', 'val/C/1.npy', 'TEST/C/1.npy');
    expect(guess(...paths)).toEqual(['{split}/{class}/{number}.npy', 'wave,clap', '', 6]);
    expect(guessNames(paths)?.folders).toEqual({ train: 'Train', test: 'TEST' });
    expect(guessNames(both('training/C_1.npy', 'val/C_2.npy'))?.folders).toEqual({
      train: 'training',
      test: 'val',
    });
  });

  test('may be beside others, which are left out', () => {
    expect(guess(...both('C/1.npy', 'C/2.npy'), 'a.npy', 'wave/old/1.npy')?.[3]).toBe(4);
  });

  test('that begin alike are two classes', () => {
    expect(guess('wa_1.npy', 'wa_2.npy', 'wave_1.npy', 'wave_2.npy')?.[1]).toBe('wa,wave');
    expect(guess('digit1_1.npy', 'digit1_2.npy', 'digit7_1.npy', 'digit7_2.npy')?.[1]).toBe('digit1,digit7');
  });

  test('that look like users are classes where nothing else is', () => {
    expect(guess('p1/1.npy', 'p1/2.npy', 'p2/1.npy', 'p2/2.npy')).toEqual([
      '{class}/{number}.npy',
      'p1,p2',
      '',
      4,
    ]);
  });

  test.each([
    ['one class', ['wave_1.npy', 'wave_2.npy']],
    ['a class for each recording', ['wave.npy', 'clap.npy', 'up.npy']],
    ['two folders that may be classes', both('monday/C/1.npy', 'friday/C/1.npy')],
    ['none', []],
  ])('tell nothing: %s', (_, paths) => {
    expect(guess(...paths)).toBeNull();
  });
});
