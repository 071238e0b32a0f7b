import { createHash } from 'node:crypto';
import { COMPAT_DEFAULTS } from './compat.ts';
import type { TrainingTask } from './task.ts';

/**
 * Names a training by everything that its numbers come from, but for the frames themselves. A checkpoint of another name is not gone
 * on with.
 */
export function trainingKey({
  engine,
  spec,
  seed,
  settings,
  compat = COMPAT_DEFAULTS,
  split,
  test,
}: TrainingTask): string {
  const { name, backend, version } = engine.description;
  const { regularise, validation, selection } = compat;
  const parts = {
    name,
    backend,
    version,
    spec,
    seed,
    settings,
    compat: { regularise, validation, selection },
    test: test.labels.length,
    train: [...split.train],
    validation: [...split.validation],
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
