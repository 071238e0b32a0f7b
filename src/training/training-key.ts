import { createHash } from 'node:crypto';
import { COMPAT_DEFAULTS } from '../thesis/compat.ts';
import type { TrainingTask } from './task.ts';

/**
 * Identifies a training by everything that determines its numbers, except the frames themselves. A checkpoint with another key is
 * ignored.
 */
export function trainingKey({
  engine,
  spec,
  seed,
  settings,
  compat = COMPAT_DEFAULTS,
  split,
  drawsBefore = 0,
  test,
}: TrainingTask): string {
  const { name, backend, version } = engine.description;
  const { regularise, validation, selection, loss, ties } = compat;
  const parts = {
    name,
    backend,
    version,
    spec,
    seed,
    settings,
    compat: { regularise, validation, selection, loss, ties },
    drawsBefore,
    test: test.labels.length,
    train: [...split.train],
    validation: [...split.validation],
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
