import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/app/project/facts.ts';
import { loadSelectedPlan } from '../../src/app/project/load-plan.ts';
import { variablesOf } from '../../src/runner/freshness/fingerprint.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('the fact `engine`', () => {
  it('lets trainings and evaluations see the variables that it covers, which are in no fingerprint themselves', async () => {
    const plan = await loadSelectedPlan({ project: root, profile: 'quick', set: [] });
    const instances = [...plan.instances.values()].filter((one) => /^(train|evaluate)$/.test(one.stage));
    expect(instances.length).toBeGreaterThan(1);
    for (const instance of instances) {
      expect(instance.variables, instance.id).toEqual([]);
      expect(variablesOf(instance, factsOf({ projectRoot: root })), instance.id).toEqual([
        'REPRO_ISA',
        'REPRO_WINOGRAD',
        'REPRO_GPU',
      ]);
    }
  });
});
