import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildNetwork } from '../../src/network/networks.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { type ModelFile, resolveModel } from '../../src/training/resolve-model.ts';

const read = (id: string) =>
  parse(readFileSync(new URL(`../../configs/models/${id}.yaml`, import.meta.url), 'utf8'));
const validate = new Ajv({ strict: true, allErrors: true }).compile(
  JSON.parse(readFileSync(new URL('../../schemas/model.schema.json', import.meta.url), 'utf8')),
);

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

/** Sets a key of nested sections, or removes it. */
function setAt(model: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) {
    model[key] ??= {};
    setAt(model[key] as Record<string, unknown>, rest, value);
  } else if (value === undefined) delete model[key];
  else model[key] = value;
}

describe('the schema of a model', () => {
  it('rejects unknown keys at every level', () => {
    for (const path of [[], ['network'], ['network', 'tau'], ['train'], ['loss'], ['published']]) {
      const model = read('baseline');
      const section = path.reduce((inner, key) => inner[key], model);
      section.unknown = 1;
      expect(validate(model), path.join('.')).toBe(false);
    }
  });

  it('wants a validation accuracy of the thesis, and none of Fang et al.', () => {
    const [thesis, fang] = [read('baseline'), read('lif')];
    expect([thesis, fang].map((model) => validate(model))).toEqual([true, true]);
    delete thesis.published.validation;
    fang.published.validation = 1;
    expect([thesis, fang].map((model) => validate(model))).toEqual([false, false]);
  });

  it('has defaults that agree with the reader, for optional keys, and suggested values, for required ones', () => {
    const resolve = (model: ModelFile) => {
      const { network, ...rest } = resolveModel(model, {}, 'm.yaml');
      return { ...rest, spec: buildNetwork({ ...network, input: [2, 32, 32], classes: 11 }) };
    };
    const baseline = read('baseline');
    const found = { optional: [] as string[], required: [] as string[] };
    const visit = (schema: JsonSchema, path: readonly string[]) => {
      for (const [key, inner] of Object.entries(schema.properties ?? {})) {
        const place = [...path, key];
        if (inner.default !== undefined) {
          const [without, explicit] = [structuredClone(baseline), structuredClone(baseline)];
          for (const model of [without, explicit]) model.network.layers = 2;
          setAt(without, place, undefined);
          setAt(explicit, place, inner.default);
          expect(validate(explicit), place.join('.')).toBe(true);
          if (schema.required?.includes(key)) {
            found.required.push(place.join('.'));
            expect(validate(without), place.join('.')).toBe(false);
          } else {
            found.optional.push(place.join('.'));
            expect(resolve(without), place.join('.')).toEqual(resolve(explicit));
          }
        }
        visit(inner, place);
      }
    };
    visit(validate.schema as JsonSchema, []);
    expect(found.optional).toEqual([
      'description',
      'published.source',
      'network.architecture',
      'network.init',
      'network.reset.potential',
      'network.threshold',
      'network.recurrent',
      'network.votes',
      'network.dropout',
      'train.tauRate',
      'train.frameOrder',
      'train.testEvery',
      'compat',
      ...Object.keys(COMPAT_DEFAULTS).map((key) => `compat.${key}`),
    ]);
    expect(found.required).toEqual([
      'network.tau.per',
      'network.tau.mean',
      'network.tau.std',
      'network.reset.kind',
      'network.surrogate.kind',
      'network.surrogate.alpha',
      'network.surrogate.learnable',
      'loss.regulariseTau',
      'train.epochs',
      'train.batchSize',
      'train.learningRate',
      'train.cosineHalfPeriod',
      'train.validationShare',
    ]);
  });
});
