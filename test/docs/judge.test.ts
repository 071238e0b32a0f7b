import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAnswers } from '../../src/verdicts/answers.ts';
import type { StatedMeasure } from '../../src/verdicts/stated-claims.ts';
import { VERDICT_TITLES } from '../../src/verdicts/verdicts.ts';
import { hasPython } from '../support/python.ts';
import { judgeOne, right, type Values } from '../verdicts/studies.ts';
import { blocks, readPage } from './pages.ts';

const page = readPage('docs/judge.md');

test.skipIf(!hasPython)('the Python of docs/judge.md writes a table that the judge reads', () => {
  const { text } = blocks.find(
    ({ at, language }) => at.startsWith('docs/judge.md:') && language === 'python',
  )!;
  // Its last line is in the loop of a training.
  const [definition, call] = [text.slice(0, text.lastIndexOf('\n\n')), text.trim().split('\n').at(-1)];
  const tensors = `
class Tensor(list):
    def tolist(self): return list(self)
    def argmax(self, dim): return Tensor(max(range(len(row)), key=row.__getitem__) for row in self)
for seed in (1, 2):
    logits, labels = Tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), Tensor([1, 0, 0])
    ${call}
`;
  const folder = mkdtempSync(path.join(tmpdir(), 'judge-'));
  const { status, stderr } = spawnSync('python3', ['-c', definition + tensors], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const study = readAnswers(readFileSync(path.join(folder, 'results.csv'), 'utf8'), 'results.csv');
  rmSync(folder, { recursive: true });
  expect([...study.arms.get('baseline')!.keys()]).toEqual(['1', '2']);
  expect([...study.arms.get('baseline')!.get('2')!.values()]).toEqual([1, 1, 0]);
  expect(text.trim().split('\n').length).toBeLessThanOrEqual(15);
});

/** Answers of two systems to the same items: so many right by both, by the first alone, by the second alone, by none. */
function paired(both: number, first: number, second: number, none: number): Values {
  const fill = (...parts: [number, boolean][]) =>
    parts.flatMap(([count, value]) => new Array<boolean>(count).fill(value));
  return {
    a: [fill([both + first, true], [second + none, false])],
    b: [fill([both, true], [first, false], [second, true], [none, false])],
  };
}

const accuracy = (published: number, n: number): StatedMeasure => ({
  kind: 'accuracy',
  arm: 'a',
  published,
  n,
});

describe('the published results in docs/judge.md', () => {
  const rows: readonly [string, StatedMeasure, Values][] = [
    ['GSM8K', { kind: 'difference', arm: 'a', than: 'b' }, paired(306, 209, 152, 652)],
    ['the same, 742', accuracy(0.55, 1319), { a: [right(742, 1319)] }],
    ['PLIF', accuracy(0.9757, 288), { a: [right(281, 288)] }],
    ['the same for MNIST', accuracy(0.9772, 10_000), { a: [right(9972, 10_000)] }],
    ['this thesis', accuracy(0.9653, 288), { a: [right(275, 288)] }],
  ];
  test.each(rows)('%s', (name, measure, values) => {
    const judged = judgeOne(measure, values, { trainings: 'fixed' });
    const found = judged.comparison ?? {
      ...judged.contrasts[0]!.contrast,
      ...judged.contrasts[0]!.contrast.certainty!.interval,
    };
    const points = (share: number) => {
      const text = Math.abs(100 * share).toFixed(1);
      return `${text === '0.0' ? '' : share < 0 ? '−' : '+'}${text}`;
    };
    const row = page.split('\n').find((line) => line.startsWith(`| ${name}`))!;
    const cells = row.split('|').map((cell) => cell.trim());
    expect(cells.slice(3, 5)).toEqual([
      VERDICT_TITLES[judged.verdict],
      `${points(found.difference)} points, ${points(found.low)} to ${points(found.high)}`,
    ]);
  });
});
