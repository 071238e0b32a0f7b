import { describe, expect, it } from 'vitest';
import { requireInput, requireOutput } from '../../../src/runner/stage/define-stage.ts';

const inputs = { frames: '/f', models: ['/a', '/b'] };

describe('an input', () => {
  it('is found by its name, or in a list by its position', () => {
    expect(requireInput(inputs, 'frames')).toBe('/f');
    expect(requireInput(inputs, 'models')).toBe('/a');
    expect(requireInput(['/a', '/b'], '1')).toBe('/b');
  });

  it('that is missing is named, with those there are', () => {
    expect(() => requireInput(inputs, 'model')).toThrow(
      expect.objectContaining({
        code: 'stage-paths',
        message: 'There is no input "model".',
        fix: 'Name it under `inputs:` of this stage in pipeline.yaml, which has frames, models.',
      }),
    );
  });
});

describe('an output', () => {
  it('is at its place, or named as missing', () => {
    expect(requireOutput(['/a', '/b'], 1, 'model')).toBe('/b');
    expect(() => requireOutput(['/a'], 1, 'model')).toThrow(
      'Path 2 (model) is missing: pipeline.yaml lists 1.',
    );
  });
});
