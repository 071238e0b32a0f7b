import { describe, expect, test } from 'vitest';
import { describeImport } from '../../src/checkpoints/describe.ts';
import { importCheckpoint, quoteNames } from '../../src/checkpoints/import-checkpoint.ts';
import { readLayers, readModuleTree } from '../../src/checkpoints/module-tree.ts';
import { readFacts } from '../../src/checkpoints/network-facts.ts';
import { findNetwork } from '../../src/checkpoints/saved-file.ts';
import { decodeMetadata, encodeMetadata, trainedElsewhere } from '../../src/checkpoints/self-description.ts';
import { PickleRecord, type PickleValue } from '../../src/formats/torch-pt.ts';
import { torchFixturePath } from '../support/torch-file.ts';

/** Sets a terminal's title, clears its screen (C0 and C1), forges a line and reverses text. */
const evil = '\u001b]0;x\u0007\u009b2J\nwarning\u007f\u202e';
const unsafe = /[\p{Cc}\p{Bidi_Control}]/u;

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  throw new Error('it was accepted');
}

describe('control characters in a file’s names are escaped', () => {
  test('in what an import prints', async () => {
    const checkpoint = await importCheckpoint(torchFixturePath('baseline-state.pt'));
    const curves = [{ tag: evil, step: 0, value: 1 }];
    const source = { file: evil, sha256: '0', format: 'zip', class: evil } as const;
    const { network } = checkpoint;
    const lines = describeImport({
      checkpoint: {
        ...checkpoint,
        curves,
        warnings: [evil],
        assumptions: [{ what: evil }],
      },
      description: { network, trainedSteps: null, source, claims: {}, assumed: [] },
      folder: 'a',
      files: [],
    });
    expect(lines.map(([, text]) => text).join()).not.toMatch(unsafe);
    expect(lines).toContainEqual([
      'curves',
      '1 points of \\u001b]0;x\\u0007\\u009b2J\\u000awarning\\u007f\\u202e',
    ]);
  });

  test('in what is said about its modules', () => {
    const child = new PickleRecord('models.Net', []);
    child.state.set('_modules', new Map());
    const record = new PickleRecord('models.Net', []);
    record.state.set('_modules', new Map<PickleValue, PickleValue>([[evil, child]]));
    expect(messageOf(() => readLayers(readModuleTree(record, 'x.pt'), 'x.pt'))).not.toMatch(unsafe);
    child.state.set('_modules', new Map<PickleValue, PickleValue>([[7, child]]));
    expect(messageOf(() => readModuleTree(record, 'x.pt'))).not.toMatch(unsafe);
    child.state.set('_modules', new Map<PickleValue, PickleValue>([['a', child]]));
    expect(messageOf(() => readModuleTree(record, 'x.pt'))).not.toMatch(unsafe);

    const node = (name: string, className: string) => ({
      path: `conv.${name}`,
      className,
      attributes: new Map<PickleValue, PickleValue>([
        ['kernel_size', 2],
        ['stride', 2],
        ['padding', 0],
      ]),
    });
    const tree = (...modules: ReturnType<typeof node>[]) => ({
      modules,
      parameters: new Map(),
      buffers: new Map(),
    });
    expect(messageOf(() => readLayers(tree(node(evil, evil)), 'x.pt'))).not.toMatch(unsafe);
    const mixed = tree(node(evil, 'MaxPool2d'), node('b', 'AvgPool2d'));
    expect(messageOf(() => readFacts(mixed, 'x.pt'))).toContain('layers differ in kind: "conv.\\u001b]0;x');
    expect(messageOf(() => readFacts(mixed, 'x.pt'))).not.toMatch(unsafe);
  });

  test('in what is said about its tensors and keys', () => {
    expect(quoteNames([evil])).not.toMatch(unsafe);
    expect(messageOf(() => findNetwork(new Map([[evil, 1]]), 'x.pt'))).not.toMatch(unsafe);
  });

  test('in descriptions that came with a state', async () => {
    const { network } = await importCheckpoint(torchFixturePath('baseline.pt'));
    const assumed = [{ what: evil }];
    const trainedOn = { ...trainedElsewhere(6), dataset: evil };
    const decoded = decodeMetadata(encodeMetadata({ network, trainedOn, source: evil, assumed }), 'x');
    expect([decoded?.source, decoded?.trainedOn.dataset, decoded?.assumed[0]?.what].join()).not.toMatch(
      unsafe,
    );
  });
});
