import { expect, test } from 'vitest';
import { describeVerdict, listChunks } from '../../bench/calibration/main.ts';
import { KINDS, simulateChunk } from '../../bench/calibration/trials.ts';
import { readPage } from './pages.ts';

const page = readPage('docs/judge.md');

test('docs/judge.md says what the judge says of simulated studies with half the margin', () => {
  const chunks = listChunks().filter(({ truth }) => truth === 'half');
  const outcomes = chunks.flatMap(simulateChunk);
  for (const kind of KINDS) expect(page).toContain(describeVerdict(kind, 'half', outcomes));
});

test('docs/judge.md has at most 5 % of wrong verdicts for every claim and truth', () => {
  const shares = [...page.matchAll(/^\| [a-z-]+ \| [^|]+ \| \*\*([\d.]+)\*\* \|/gm)].map(([, share]) =>
    Number(share),
  );
  expect(shares).toHaveLength(19);
  expect(Math.max(...shares)).toBeLessThanOrEqual(5);
});
