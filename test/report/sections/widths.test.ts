import { describe, expect, test } from 'vitest';
import type { ModelResult } from '../../../src/report/data/results.ts';
import { compareWidths, describeWidths } from '../../../src/report/sections/widths.ts';
import { makeModelResult, makeResults, makeRunResult, plain, split, textsOf } from '../result-values.ts';

const CLIPS = 40;

/** A model of which each seed gets so many clips of each of two users right. */
function modelOf(
  per: string,
  channels: number,
  ...right: readonly (readonly [number, number])[]
): ModelResult {
  const id = `${channels}-${per}`;
  const runs = right.map((users, i) => {
    const answers = Array.from({ length: 2 * CLIPS }, (_, clip) => {
      return { clip, user: 24 + (clip % 2), class: 0, right: clip >> 1 < users[clip % 2]! };
    });
    const network = { channels, neuron: 'plif', tau: { per, mean: 2, std: 0 } };
    return makeRunResult({
      seed: i,
      answers,
      network,
      confusion: [],
      parameters: 10 * channels,
      test: split(users[0] + users[1], 80),
    });
  });
  return makeModelResult({ id, title: id, runs });
}

const same = (count: number): readonly [number, number][] => [
  [count, count],
  [count, count],
];
const layer = [modelOf('layer', 16, ...same(30)), modelOf('layer', 8, ...same(20))];
const neuron = [modelOf('neuron', 8, ...same(25)), modelOf('neuron', 16, ...same(38))];
// Guessing gets an eleventh right.
const classes = Array.from({ length: 11 }, (_, i) => `gesture ${i}`);
const results = makeResults({ classes, models: [...layer, ...neuron], seeds: [0, 1], simulated: true });

describe('width against τ', () => {
  test('says how wide a network with one τ per layer has to be', () => {
    const [lead, table] = describeWidths(results)[0]!.blocks;
    // 25 right is half-way between 20 (8 channels) and 30 (16); 38 is above both. Without any scatter, so are all resamples.
    expect(lead?.kind === 'paragraph' && plain(lead.text)).toContain(': 12.0 for 8 and more than 16 for 16.');
    expect(table?.kind === 'table' && textsOf(table.table)).toEqual([
      ['8', '80', '62.5 %', '12.0', '120'],
      ['16', '160', '95.0 %', 'more than 16', '–'],
    ]);
  });

  test('has intervals that follow from seeds and users', () => {
    // The narrow network's users have 15 and 35 right: a resample has 15, 25 or 35, below, between or above.
    const apart = [[15, 35] as const, [15, 35] as const];
    const models = [...layer, modelOf('neuron', 8, ...apart), neuron[1]!];
    const [first] = compareWidths({ ...results, models })!.neuron;
    expect(first?.equal).toBeCloseTo(12, 12);
    expect(first?.equalInterval).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
    expect(first?.interval).toEqual({ low: 0.375, high: 0.875 });
    expect(JSON.stringify(describeWidths({ ...results, models }))).toContain('less than 8 to more than 16');
  });

  test('is unknown of networks that may be guessing, and of those as accurate as every width', () => {
    const flat = [8, 16].map((width) => modelOf('layer', width, ...same(30)));
    // 8 of 80 right are about an eleventh.
    const models = [...flat, modelOf('neuron', 8, ...same(4)), modelOf('neuron', 16, ...same(30))];
    const [lead, table] = describeWidths({ ...results, models })[0]!.blocks;
    expect(lead?.kind === 'paragraph' && plain(lead.text)).toContain('cannot tell');
    expect(table?.kind === 'table' && textsOf(table.table).map((row) => row.at(-1))).toEqual(['–', '–']);
  });

  test.each([
    ['a single width with τ per neuron', [...layer, neuron[0]!]],
    ['two models of one kind and width', [...layer, neuron[0]!, neuron[0]!]],
    ['τ per layer alone', layer],
  ])('is left out with %s', (_, models) => {
    expect(describeWidths(makeResults({ models }))).toEqual([]);
  });
});
