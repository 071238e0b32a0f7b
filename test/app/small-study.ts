import { right, tabulate } from '../verdicts/studies.ts';

/** Three arms with three seeds on 100 items: `a` is better than `b`, which is better than `c`. */
const results = tabulate({
  a: [right(90, 100), right(91, 100), right(92, 100)],
  b: [right(70, 100), right(72, 100), right(73, 100)],
  c: [right(40, 100), right(43, 100), right(45, 100)],
});

const evidence = 'evidence: {section: "4.2", page: 7, at: Table 2}';

const better = `
  - id: a-above-b
    statement: a is better than b.
    ${evidence}
    measure: {kind: difference, arm: a, than: b}`;

const worse = `
  - id: c-first
    statement: c is best.
    ${evidence}
    measure: {kind: order, arms: [c, b]}`;

const unknown = `
  - id: d-0.9
    statement: It reaches 90 %.
    ${evidence}
    measure: {kind: accuracy, arm: missing, published: 0.9, n: 100}`;

const untestable = `
  - id: e
    statement: It is beautiful.
    ${evidence}
    measure: {kind: untestable, because: it has no number}`;

function write(...claims: readonly string[]): string {
  return `version: 1\nsource: A paper\nclaims:${claims.join('')}\n`;
}

/** Files of a study, whose `judge.yaml` has a claim that is reproduced, one that is not, and one about an arm that is not there. */
export const studyFiles = {
  'results.csv': results,
  'judge.yaml': write(better, worse, unknown),
  'good.yaml': write(better, untestable),
  'renamed.yaml': write(better, unknown),
  'results file.csv': results,
};
