import { expect, it } from 'vitest';
import { compareSettings } from '../../../src/report/data/settings.ts';
import { listFacts } from '../../../src/report/sections/facts.ts';
import { GESTURES, SPOKEN_DIGITS, TWO_SCALES } from '../../support/datasets.ts';
import { FRAMES, makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

const factOf = (results: Parameters<typeof listFacts>[0], name: string) =>
  listFacts(results, null).find((fact) => fact.name === name)?.value;

it('the sensor is named by its pixels, columns or bands', () => {
  const sensors = [GESTURES, TWO_SCALES, SPOKEN_DIGITS].map((dataset) =>
    factOf(makeResults({ dataset }), 'Sensor'),
  );
  expect(sensors).toEqual(['128 × 128 pixels', '5 columns', '64 bands']);
});

it('sizes are width × height', () => {
  const frames = { ...FRAMES, downsample: 2, width: 120, height: 90 };
  const results = makeResults({ models: [makeModelResult({ runs: [makeRunResult({ frames })] })] });
  expect(factOf(results, 'Reduced data')).toContain('to 120 × 90');
  const size = compareSettings(results).find(({ label }) => label === 'Frame size, pixels');
  expect(size?.used).toBe('120 × 90');
});
