import { describe, expect, test } from 'vitest';
import {
  describeJudgements,
  formatJunit,
  formatLatex,
  formatMarkdown,
  summariseVerdicts,
} from '../../../src/report/judge/formats.ts';
import type { ClaimJudgement } from '../../../src/verdicts/judge-claims.ts';
import { ACCURACY, stateClaim } from '../../verdicts/studies.ts';

const COMPARISON = {
  value: 0.9525,
  published: 0.955,
  difference: -0.0025,
  low: -0.012,
  high: 0.007,
  margin: 0.02,
};

/** An accuracy of 95.25 %, published as 95.5 %. */
function judged(overrides: Partial<ClaimJudgement> = {}, id = 'test-lambda-0.01'): ClaimJudgement {
  return {
    claim: stateClaim(ACCURACY, {
      id,
      statement: 'It is so.',
      evidence: { source: 'A paper', section: '4', page: 3, at: 'Table 1' },
    }),
    verdict: 'reproduced',
    measured: '95.3\u00a0%, mean of two seeds',
    reason: 'Over two seeds it is.',
    contrasts: [],
    comparison: COMPARISON,
    ...overrides,
  };
}

/** Differences that an order claims, the second one without an interval. */
const order: Partial<ClaimJudgement> = {
  comparison: null,
  contrasts: [
    {
      name: 'a − b',
      contrast: {
        difference: 0.014,
        seeds: [0.01, 0.018],
        certainty: {
          rare: null,
          isGrouped: false,
          error: 0.004,
          degrees: 1,
          interval: { low: -0.05, high: 0.078 },
          narrow: { low: -0.01, high: 0.04 },
          p: 0.2,
          adjusted: 0.4,
          detectable: null,
          equivalenceChance: 0.25,
        },
      },
    },
    { name: 'b − c', contrast: { difference: -0.01, seeds: [-0.01], certainty: null } },
  ],
};

/** Control characters, markup and what tables, XML and LaTeX treat as special. */
const HOSTILE = 'a\u001b[2J|b\n</td>]]>&"\'\\input{x}%$#_^~\u0000\u202e\uffff@{`c`}';
const hostile = judged({
  claim: stateClaim(ACCURACY, {
    statement: HOSTILE,
    evidence: { source: HOSTILE, section: HOSTILE, at: HOSTILE },
  }),
  verdict: 'not-reproduced',
  measured: HOSTILE,
  reason: HOSTILE,
});

test('the summary counts verdicts in the order of reports', () => {
  const verdicts = ['inconclusive', 'reproduced', 'inconclusive', 'not-applicable'] as const;
  expect(summariseVerdicts(verdicts.map((verdict) => judged({ verdict })))).toBe(
    '4 claims: 1 reproduced, 2 inconclusive, 1 not applicable',
  );
});

test('the document has shares, and null for what is not known', () => {
  expect(JSON.parse(JSON.stringify(describeJudgements([judged(), judged(order)])))).toEqual([
    {
      id: 'test-lambda-0.01',
      statement: 'It is so.',
      evidence: { source: 'A paper', section: '4', page: 3, at: 'Table 1' },
      measure: ACCURACY,
      verdict: 'reproduced',
      measured: '95.3\u00a0%, mean of two seeds',
      reason: 'Over two seeds it is.',
      comparison: COMPARISON,
      contrasts: [],
    },
    expect.objectContaining({
      comparison: null,
      contrasts: [
        {
          name: 'a − b',
          difference: 0.014,
          low: -0.05,
          high: 0.078,
          p: 0.2,
          narrow: { low: -0.01, high: 0.04 },
          detectable: null,
          equivalenceChance: 0.25,
          seeds: 2,
        },
        {
          name: 'b − c',
          difference: -0.01,
          low: null,
          high: null,
          p: null,
          narrow: null,
          detectable: null,
          equivalenceChance: null,
          seeds: 1,
        },
      ],
    }),
  ]);
});

describe('the test suite', () => {
  test('has a failure for what is not reproduced, and skips what has no answer', () => {
    const judgements = [
      judged(),
      judged({ verdict: 'not-reproduced' }, 'b'),
      judged({ verdict: 'not-applicable', measured: '' }, 'c'),
    ];
    expect(formatJunit(judgements, 'judge.yaml')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="judge.yaml" tests="3" failures="1" errors="0" skipped="1" time="0">
  <testcase classname="judge.yaml" name="test-lambda-0.01: It is so." time="0"/>
  <testcase classname="judge.yaml" name="b: It is so." time="0">
    <failure message="not reproduced. 95.3\u00a0%, mean of two seeds. Over two seeds it is."/>
  </testcase>
  <testcase classname="judge.yaml" name="c: It is so." time="0">
    <skipped message="not applicable. Over two seeds it is."/>
  </testcase>
</testsuite>
`);
  });

  test('is XML, whatever texts contain: each tag is ours, and no character is forbidden', () => {
    const text = formatJunit([hostile], HOSTILE);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids them
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e\ufffe\uffff]/);
    const tags = [...text.matchAll(/<(\/?\??[a-z]+)((?: [a-z]+="[^"<>]*")*)[?/]?>/g)];
    expect(text.replace(/<(\/?\??[a-z]+)((?: [a-z]+="[^"<>]*")*)[?/]?>/g, '').trim()).toBe('');
    expect(tags.map(([, tag]) => tag)).toEqual([
      '?xml',
      'testsuite',
      'testcase',
      'failure',
      '/testcase',
      '/testsuite',
    ]);
    expect(text.replace(/&(?:amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
  });
});

describe('the table', () => {
  test('has a row for each claim, with its place', () => {
    expect(formatMarkdown([judged()])).toBe(`1 claim: 1 reproduced

| Claim | Stated in | Verdict | Measured | Why |
| --- | --- | --- | --- | --- |
| test-lambda-0.01: It is so. | A paper, section 4, page 3, Table 1 | reproduced | 95.3\u00a0%, mean of two seeds | Over two seeds it is. |
`);
  });

  test('keeps its columns, whatever texts contain', () => {
    const [row = '', ...more] = formatMarkdown([hostile]).trimEnd().split('\n').slice(4);
    expect(more).toEqual([]);
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(6);
    expect(row).not.toMatch(/<|>|(?<!\\)[`[\]]|\p{Cc}/u);
  });
});

describe('the macros', () => {
  test('have names of letters, and text that LaTeX prints as it is', () => {
    expect(
      formatLatex(
        [judged(), judged(order, 'b'), judged({ comparison: null }, 'C.2')],
        { isScore: false },
        'c.yaml',
      ),
    ).toBe(
      String.raw`% Made by repro judge: do not edit. Before a space, write \verdictXyz{} rather than \verdictXyz.
% Intervals (95 %) are those of differences: from the published value, or between arms.
\newcommand{\verdictTestLambdaZeroZeroOne}{reproduced}
\newcommand{\valueTestLambdaZeroZeroOne}{95.3\,\%}
\newcommand{\intervalTestLambdaZeroZeroOne}{$-$1.2 to +0.7~points}
\newcommand{\verdictB}{reproduced}
\newcommand{\valueB}{+1.4~points; $-$1.0~points}
\newcommand{\intervalB}{$-$5.0 to +7.8~points; --}
\newcommand{\verdictCTwo}{reproduced}
\newcommand{\valueCTwo}{--}
\newcommand{\intervalCTwo}{--}
`,
    );
  });

  test('write scores without a percent sign', () => {
    const claim = stateClaim({ kind: 'score', arm: 'a', published: 27.3, margin: 0.5 });
    const comparison = { ...judged().comparison!, value: 27.1234, low: -0.41, high: 0.061 };
    const text = formatLatex([judged({ claim, comparison })], { isScore: true }, 'c.yaml');
    expect(text).toContain('\\valueA}{27.12}');
    expect(text).toContain('\\intervalA}{$-$0.41 to +0.061}');
  });

  test('are refused if two claims would have the same, and both are named', () => {
    expect(() => formatLatex([judged({}, 'a-1'), judged({}, 'a.One')], { isScore: false }, 'c.yaml')).toThrow(
      'ids "a-1" and "a.One" both give \\verdictAOne.',
    );
  });

  test('contain nothing of texts from files', () => {
    expect(formatLatex([hostile], { isScore: false }, 'c.yaml')).not.toMatch(/input|@/);
  });
});
