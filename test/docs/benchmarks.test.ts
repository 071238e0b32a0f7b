import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WASM_SLOWDOWN } from '../../src/network/engines/engine.ts';

test('bench/README.md has the factors that a run without the native engine is warned of', () => {
  const text = readFileSync('bench/README.md', 'utf8');
  expect(text).toContain(`a training step takes up to ${WASM_SLOWDOWN.most} times as long as the engine`);
  expect(text).toContain(`a training step takes at least ${WASM_SLOWDOWN.least} times as long`);
});
