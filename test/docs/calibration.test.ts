import { expect, test } from 'vitest';
import { describeBetween, listChunks } from '../../bench/calibration/main.ts';
import { simulateChunk } from '../../bench/calibration/trials.ts';
import { readPage } from './pages.ts';

const page = readPage('docs/judge.md');

test('docs/judge.md says what the judge says of simulated studies with half the margin', () => {
  const chunks = listChunks().filter(({ truth }) => truth === 'half');
  expect(page).toContain(describeBetween(chunks.flatMap(simulateChunk)).join(''));
});

test('docs/judge.md has at most 5 % of wrong verdicts for every claim and truth', () => {
  const shares = [...page.matchAll(/^\| [a-z-]+ \| [^|]+ \| \*\*([\d.]+)\*\* \|/gm)].map(([, share]) =>
    Number(share),
  );
  expect(shares).toHaveLength(15);
  expect(Math.max(...shares)).toBeLessThanOrEqual(5);
});
