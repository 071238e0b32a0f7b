import pico from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { CheckedGroup } from '../../src/apps/check-group.ts';
import { describeGroup, formatJunit, formatSummary } from '../../src/cli/records/check-formats.ts';

const hostile = 'a <b> & "c" \u0000\u001b[31m\ud800 ]]> | `x` é\n# y';

const items: CheckedGroup['items'] = [
  { name: 'frames: test', state: 'ok', word: 'ok', text: 'the same' },
  { name: hostile, state: 'failed', word: 'not reproduced', text: hostile },
  { name: 'sum@a', state: 'unsure', word: 'unconfirmed', text: 'depends on words' },
  { name: 'accuracy', state: 'skipped', word: 'skipped', text: hostile },
];
const groups: CheckedGroup[] = [
  { title: hostile, items, rows: items, isGood: false, summary: 'One failed', remedy: ['run <it>'] },
  { title: 'empty', items: [], rows: [], isGood: true, summary: 'Nothing to judge', remedy: ['none'] },
];

describe('JUnit XML', () => {
  test('counts suites and cases, and escapes whatever names contain', () => {
    expect(formatJunit(groups)).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="repro check" tests="4" failures="2" errors="0" skipped="1">
  <testsuite name="T" tests="4" failures="2" errors="0" skipped="1">
    <testcase classname="T" name="frames: test">
      <system-out>the same</system-out>
    </testcase>
    <testcase classname="T" name="T">
      <failure type="not reproduced" message="not reproduced: T">not reproduced: T
run &lt;it&gt;</failure>
    </testcase>
    <testcase classname="T" name="sum@a">
      <failure type="unconfirmed" message="unconfirmed: depends on words">unconfirmed: depends on words
run &lt;it&gt;</failure>
    </testcase>
    <testcase classname="T" name="accuracy">
      <skipped message="T"/>
    </testcase>
  </testsuite>
  <testsuite name="empty" tests="0" failures="0" errors="0" skipped="0">
  </testsuite>
</testsuites>
`
        .replaceAll('T"', `${escaped}"`)
        .replaceAll(': T\n', `: ${escaped}\n`),
    );
  });
});

const escaped = 'a &lt;b&gt; &amp; &quot;c&quot; \ufffd\ufffd[31m\ufffd ]]&gt; | `x` é\n# y';

test('the summary of a job is what is printed, and takes nothing in names for markup', () => {
  const lines = formatSummary(groups).split('\n');
  expect(lines.slice(0, 3)).toEqual(['## repro check: failed', '', '<pre>']);
  expect(lines).toContain('sum@a                          unconfirmed     depends on words');
  expect(lines[4]).toMatch(/^a &lt;b&gt; &amp; &quot;c&quot; \ufffd \]\]&gt; .* é # y$/);
  expect(lines.slice(-5)).toEqual(['One failed', '  run &lt;it&gt;', 'Nothing to judge', '</pre>', '']);
});

describe('the table', () => {
  const plain = pico.createColors(false);
  const rows = [
    {
      name: 'σ(τ)',
      state: 'ok',
      word: 'ok',
      text: 'four score and seven years ago our fathers brought forth',
    },
    { name: 'loss', state: 'failed', word: 'failed', text: '漢字 \u001b[2J is wide' },
  ] as const;
  const group: CheckedGroup = {
    title: 'x',
    items: rows,
    rows,
    isGood: false,
    summary: 'Bad',
    remedy: ['run it'],
  };

  test('has one line for each row where nothing limits it', () => {
    expect(describeGroup(group, { colors: plain })).toEqual([
      'σ(τ)  ok      four score and seven years ago our fathers brought forth',
      'loss  failed  漢字  is wide',
      'Bad',
      '  run it',
    ]);
  });

  test('wraps texts in their own column of a terminal, unless that is too narrow', () => {
    expect(describeGroup(group, { colors: plain, columns: 44 }).slice(0, 3)).toEqual([
      'σ(τ)  ok      four score and seven years ago',
      '              our fathers brought forth',
      'loss  failed  漢字  is wide',
    ]);
    expect(describeGroup(group, { colors: plain, columns: 43 })[0]).toContain('brought forth');
  });
});
