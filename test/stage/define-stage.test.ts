import { describe, expect, it } from 'vitest';
import { requirePath } from '../../src/stage/define-stage.ts';

describe('requirePath', () => {
  it('gives the path at its place', () => {
    expect(requirePath(['/a', '/b'], 1, 'model')).toBe('/b');
  });

  it('names what is missing, and where to add it', () => {
    expect(() => requirePath(['/a'], 1, 'model')).toThrow(
      expect.objectContaining({
        code: 'stage-paths',
        message: 'Path 2 (model) is missing: pipeline.yaml lists 1.',
        fix: expect.stringContaining('pipeline.yaml'),
      }),
    );
  });
});
