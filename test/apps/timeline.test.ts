import { describe, expect, test } from 'vitest';
import { arrangeTimeline, drawTimelineFiles } from '../../src/apps/timeline.ts';
import { timelineLines } from '../../src/cli/run/timeline.ts';
import type { Figure, PanelSpec } from '../../src/report/drawing/figure.ts';
import { renderFigure } from '../../src/report/drawing/render.ts';
import { drawTimeline, type TimelineSession } from '../../src/report/figures/timeline.ts';
import type { RunRecord } from '../../src/runner/store/records.ts';

/** A record of a run that began so many seconds after 12:00. */
function record(id: string, start: number, seconds: number, over: Partial<RunRecord> = {}): RunRecord {
  return {
    version: 1,
    id,
    stage: id.split('@')[0] ?? id,
    fingerprint: 'f',
    parts: {} as RunRecord['parts'],
    outputs: [],
    metrics: {},
    startedAt: new Date(Date.UTC(2026, 0, 2, 12, 0, start)).toISOString(),
    seconds,
    peakMemoryBytes: 250_000_000,
    host: 'cedar',
    node: '20.19.0',
    commit: null,
    dirty: null,
    profile: 'quick',
    ...over,
  };
}

/** Two stages one after another, two at the same time, and the last one an hour later elsewhere. */
const records = [
  record('report', 3600, 2, { host: 'birch', profile: 'full' }),
  record('train@b,1', 12, 30, { peakMemoryBytes: null }),
  record('train@a,1', 12, 20),
  record('frames', 0, 10),
];

const runsOf = (list: readonly RunRecord[]): TimelineSession[] => arrangeTimeline(list);

/** The texts in the drawing of a figure. */
async function textsOf(figure: Figure): Promise<string[]> {
  const { sheet } = await renderFigure(figure, null);
  return [...sheet.replaceAll('\u00a0', ' ').matchAll(/>([^<>]+)<\/text>/g)].map(([, text = '']) => text);
}

describe('the timeline of recorded runs', () => {
  test('is in the order of starts, in sessions without a long pause', () => {
    const [first, second, ...more] = arrangeTimeline(records);
    expect(more).toEqual([]);
    expect(first?.spans.map(({ id, startSeconds }) => [id, startSeconds])).toEqual([
      ['frames', 0],
      ['train@a,1', 12],
      ['train@b,1', 12],
    ]);
    expect(first).toMatchObject({ startedAt: '2026-01-02T12:00:00.000Z', seconds: 42, hosts: ['cedar'] });
    expect(second).toMatchObject({ seconds: 2, hosts: ['birch'], profiles: ['full'] });
  });

  test('has a pause only after the longest of what ran at the same time', () => {
    // The second ends after 40 s, when the first has already run; the third begins 100 s after that.
    const long = [record('a', 0, 200), record('b', 10, 30), record('c', 140, 1)];
    expect(arrangeTimeline(long)).toHaveLength(1);
    expect(arrangeTimeline([record('a', 0, 1), record('b', 62, 1)])).toHaveLength(2);
  });

  test('as text has a bar for each instance, and names what has not run', () => {
    const lines = timelineLines(arrangeTimeline(records), ['evaluate@a,1']);
    expect(lines[0]).toBe('2026-01-02 12:00 UTC, 42 s, profile quick, on cedar');
    // 40 characters stand for 42 s: the first 10 s are 10 of them, and 12 s are after 11.
    expect(lines[1]).toBe(`  frames        ${'█'.repeat(10)}${' '.repeat(30)}   10 s  250 MB`);
    expect(lines[3]).toBe(`  train@b,1     ${' '.repeat(11)}${'█'.repeat(29)}   30 s  memory unknown`);
    expect(lines.slice(-3)).toEqual([
      '2026-01-02 13:00 UTC, 2.0 s, profile full, on birch',
      `  report        ${'█'.repeat(40)}  2.0 s  250 MB`,
      '  evaluate@a,1  has not run',
    ]);
  });

  test.each([80, 60, 50])('as text fits a terminal of %i columns', (columns) => {
    const long = [
      record('train@lambda-0.01,2020', 0, 1e5, { totalSeconds: 2e5 }),
      record('evaluate@lambda-0.01,2020', 1e5, 60, { host: 'birch', profile: 'full' }),
    ];
    const lines = timelineLines(arrangeTimeline(long), ['train@lambda-0.01,2021'], columns);
    for (const line of lines) expect(line.length).toBeLessThan(columns);
    expect(lines.join(' ')).toContain('55 h 33 min in all attempts');
    expect(lines.filter((line) => line.includes('█'))).toHaveLength(2);
  });

  test('as text tells whose each line is where machines or profiles mix', () => {
    const mixed = [record('a', 0, 10), record('b', 5, 10, { host: 'bi\u001b[31mrch', profile: 'full' })];
    const lines = timelineLines(arrangeTimeline(mixed), []);
    expect(lines[0]).toContain('profile full, quick, on birch, cedar');
    expect([lines[2], lines[4]]).toEqual(['    profile quick, on cedar', '    profile full, on birch']);
  });

  test('as a figure has two panels for each session, and a row for each instance', async () => {
    const { figure, notice } = drawTimeline(runsOf(records));
    expect(notice).toBe(null);
    expect(figure.panels).toHaveLength(4);
    expect(figure.data).toContainEqual([
      'train@b,1',
      'train',
      1,
      '2026-01-02T12:00:00.000Z',
      12,
      30,
      null,
      'cedar',
      'quick',
      30,
    ]);
    const texts = await textsOf(figure);
    for (const text of ['train@b,1', '30 s', 'unknown', '250 MB', 'frames']) expect(texts).toContain(text);
    expect(texts).toContain('2026-01-02 12:00 UTC, profile quick, on cedar');
    const large = await textsOf(drawTimeline(runsOf([record('a', 0, 1, { peakMemoryBytes: 1.5e9 })])).figure);
    expect(large).toContain('1\u202f000');
    expect(texts).toContain('2026-01-02 13:00 UTC, profile full, on birch');
    expect(texts.join(' ')).not.toMatch(/NaN|undefined/);
  });

  test('draws the execution that ended well, and says how long it took with those that it went on from', async () => {
    const resumed = arrangeTimeline([record('a', 0, 20, { totalSeconds: 60 }), record('b', 0, 10)]);
    expect(resumed[0]?.seconds).toBe(20);
    const [, a, attempts, b] = timelineLines(resumed, []);
    expect([a, attempts]).toEqual([
      expect.stringMatching(/ 20 s {2}250 MB$/),
      '    1 min 00 s in all attempts',
    ]);
    expect(b).toMatch(/ 10 s {2}250 MB$/);
    const { figure } = drawTimeline(resumed);
    expect(await textsOf(figure)).toContain('20 s of 60 s');
    expect(figure.data.slice(1).map((row) => row.at(-1))).toEqual([60, 10]);
  });

  test('as a figure tells whose each bar is where machines or profiles mix', async () => {
    const mixed = [record('a', 0, 10), record('b', 5, 10, { host: 'birch', profile: 'full' })];
    const texts = await textsOf(drawTimeline(runsOf(mixed)).figure);
    expect(texts).toContain('2026-01-02 12:00 UTC, profile full and quick, on birch and cedar');
    expect(texts).toContain('10 s, quick, cedar');
    expect(texts).toContain('10 s, full, birch');
  });

  test('as a figure of a thousand instances shows the longest, at least one of each stage, and says so', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => record(`train@a,${i}`, i, 100 + i));
    const { figure, notice } = drawTimeline(runsOf([record('frames', 0, 1), ...many]), [
      'report',
      'evaluate',
    ]);
    const shown = figure.panels[0]?.height ?? 0;
    expect(shown).toBeGreaterThan(1000);
    expect(shown).toBeLessThan(2000);
    const texts = await textsOf(figure);
    expect(texts).toContain('train@a,999');
    expect(texts).toContain('frames');
    expect(texts).not.toContain('train@a,10');
    expect(notice).toMatch(
      /^7\d of 1\u202f001 are drawn: those that took longest; the CSV has all\. 2 never succeeded\.$/,
    );
    expect(figure.alt).toContain(notice);
    expect(figure.data).toHaveLength(1002);
  });

  test('as a figure of a hundred sessions is not higher than one of as many bars', () => {
    const many = Array.from({ length: 100 }, (_, i) => record(`s${i}`, i * 1000, 1 + i));
    const { figure } = drawTimeline(runsOf(many));
    const height = figure.panels.reduce((sum, panel) => sum + panel.height, 0) / 2;
    expect(height).toBeLessThan(2000);
    // The colours of more than six stages repeat.
    expect(figure.legend).toEqual([]);
  });

  test('as a figure has room for every label', () => {
    const { figure } = drawTimeline(
      runsOf([record('a', 0, 10), record('b', 1, 10, { host: 'm'.repeat(40) })]),
    );
    const { width, layer: layers } = figure.panels[0]!.spec as PanelSpec;
    const layer: unknown = layers[1];
    expect(layer).toMatchObject({ encoding: { x: { scale: { domain: [0, expect.any(Number)] } } } });
    const end = (layer as { encoding: { x: { scale: { domain: [0, number] } } } }).encoding.x.scale.domain[1];
    // The longest label, `10 s, mmmmmmmmmmmmmmmmmmmmmmm…`, has 30 characters of 6 px behind the bar that ends after 11 s.
    expect(((end - 11) / end) * Number(width)).toBeGreaterThan(180);
  });
});

describe('the drawing of the timeline', () => {
  test('is in the colours of a light page, and in those of a dark one on a dark screen', async () => {
    const { svg, csv } = await drawTimelineFiles({ sessions: arrangeTimeline(records), missing: [] });
    expect(svg).toContain('fill="#3f4a56"');
    expect(svg).toContain('[fill="#3f4a56"] { fill: #b6c0cb; }');
    expect(svg).toContain('[fill="#ffffff"] { fill: #14171b; }');
    expect(svg).toMatch(
      /<\/desc>\n<style>\n:root { color-scheme: light dark; }\n@media screen and \(prefers/,
    );
    expect(csv.split('\n')[0]).toBe(
      'instance,stage,session,session_started_at,start_s,duration_s,peak_memory_bytes,host,profile,total_s',
    );
  });
});
