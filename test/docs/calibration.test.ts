import { expect, test } from 'vitest';
import { describeVerdict, listChunks } from '../../bench/calibration/main.ts';
import { KINDS, simulateChunk } from '../../bench/calibration/trials.ts';
import { DESIGNS, describeDesign } from '../../bench/intervals/main.ts';
import { readPage } from './pages.ts';

const page = readPage('bench/verdicts.md');

test('bench/verdicts.md says what the judge says of simulated studies with half the margin', () => {
  const chunks = listChunks().filter(({ truth }) => truth === 'half');
  const outcomes = chunks.flatMap(simulateChunk);
  for (const kind of KINDS) expect(page).toContain(describeVerdict(kind, 'half', outcomes));
});

test('bench/verdicts.md has at most 5 % of wrong verdicts for every claim and truth', () => {
  const shares = [...page.matchAll(/^\| [a-z-]+ \| [^|]+ \| \*\*([\d.]+)\*\* \|/gm)].map(([, share]) =>
    Number(share),
  );
  expect(shares).toHaveLength(19);
  expect(Math.max(...shares)).toBeLessThanOrEqual(5);
});

test('bench/verdicts.md has at most 6 % of wrong verdicts for every kind of study', () => {
  const [, rows = ''] = /^\| studies \|.*\n\|[- |:]*\n((?:\|.*\n)*)/m.exec(page) ?? [];
  const shares = [...rows.matchAll(/\| ([\d.]+) (?=\|)/g)].map(([, share]) => Number(share));
  // Of people whose values were published, only accuracies are judged.
  expect(shares).toHaveLength(5 * 14 - 4);
  expect(Math.max(...shares)).toBeLessThanOrEqual(6);
});

test('bench/verdicts.md says how often intervals contain the truth with unequal people', () => {
  const [unequal] = DESIGNS.filter(([, { sharing, users }]) => sharing === 'zipf' && users === 5);
  expect(page).toContain(describeDesign(...unequal!));
});

test('bench/verdicts.md has at most 6 % of wrong verdicts for every design', () => {
  const rows = DESIGNS.map(([name]) => page.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '');
  const shares = rows.flatMap((row) =>
    [...row.matchAll(/\| ([\d.]+) % (?=\|)/g)].map(([, share]) => Number(share)),
  );
  expect(shares).toHaveLength(2 * DESIGNS.length);
  expect(Math.max(...shares)).toBeLessThanOrEqual(6);
});
