import { describe, expect, test } from 'vitest';
import { readModuleTree } from '../../../src/exchange/checkpoints/module-tree.ts';
import { PickleRecord, type PickleValue } from '../../../src/formats/torch-pt.ts';
import { readCurves } from '../../../src/report/inputs/reference.ts';

describe('what would go on endlessly', () => {
  const module = (children: [string, PickleRecord][]): PickleRecord => {
    const record = new PickleRecord('torch.nn.modules.container.Sequential', []);
    record.state.set('_modules', new Map<PickleValue, PickleValue>(children));
    return record;
  };

  test('is refused: a module that contains itself, modules that share their contents again and again', () => {
    const circle = module([]);
    circle.state.set('_modules', new Map([['0', circle]]));
    expect(() => readModuleTree(circle, 'x.pt')).toThrow('its modules never end below');
    let shared = module([]);
    for (let depth = 0; depth < 30; depth++)
      shared = module([
        ['0', shared],
        ['1', shared],
      ]);
    expect(() => readModuleTree(shared, 'x.pt')).toThrow('its modules never end below');
    const long = module([['n'.repeat(101), module([])]]);
    expect(() => readModuleTree(long, 'x.pt')).toThrow('name is missing or too long');
  });

  test('is truncated: a log that repeats one epoch; and entries that are not points are skipped', () => {
    const epoch = Array.from({ length: 2000 }, (_, step) => ['w0', 0.5, step]);
    expect(readCurves(Array.from({ length: 2000 }, () => epoch))).toHaveLength(1_000_000);
    const odd = [['a', 1, 2], ['a', null, 2], ['a'.repeat(101), 1, 2], 'a', [1, 2, 3]];
    expect(readCurves([odd, 7])).toEqual([{ tag: 'a', value: 1, step: 2 }]);
    expect(readCurves(undefined)).toEqual([]);
  });
});
