import { describe, expect, test } from 'vitest';
import { type Candidate, groupIntoBatches, type PlannedBatch } from '../../src/runner/cluster/grouping.ts';
import type { InstanceRequest } from '../../src/runner/cluster/instance-request.ts';

const request: InstanceRequest = {
  ...{ cpus: 1, memoryBytes: null, gpus: 0, gpuType: null, timeSeconds: null, warnSeconds: null },
  ...{ arrayLimit: null, flags: [] },
};

const job = (id: string, after: readonly string[] = [], more: Partial<Candidate> = {}): Candidate => ({
  ...{ id, stage: id.split('@', 1)[0] ?? id, request, mutex: null, after },
  ...more,
});

/** `train[0:train@a 1:train@b] after whole first`. */
function group(
  candidates: readonly Candidate[],
  {
    submitted = {},
    sizes = {},
    arraySize = 1001,
    open = [],
  }: {
    submitted?: Record<string, { index: number; id: string }[]>;
    sizes?: Record<string, number>;
    arraySize?: number;
    open?: readonly PlannedBatch[];
  } = {},
): string[] {
  let count = 0;
  const planned = groupIntoBatches(
    candidates,
    new Map(
      Object.entries(submitted).map(([token, tasks]) => [
        token,
        { size: sizes[token] ?? tasks.length, tasks },
      ]),
    ),
    arraySize,
    () => `t${count++}`,
    open,
  );
  const nameOf = new Map(planned.map((one, i) => [one.token, `#${i}`]));
  return planned.map((one) => describeBatch(one, nameOf));
}

function describeBatch(
  { stage, tasks, isArray, atOnce, dependencies }: PlannedBatch,
  names: ReadonlyMap<string, string>,
): string {
  const list = tasks.map(({ index, id }) => `${index}:${id.split('@')[1] ?? ''}`).join(' ');
  const after = dependencies.map((one) => {
    const name = names.get(one.batch) ?? one.batch;
    if (one.kind === 'task') return `${name}_${one.index}`;
    return `${{ whole: 'all', 'same-index': 'same', ended: 'the end of' }[one.kind]} ${name}`;
  });
  const limit = atOnce === null ? '' : `%${atOnce}`;
  return `${stage}${isArray ? `[${list}]${limit}` : `(${list})`}${after.length === 0 ? '' : ` after ${after.join(', ')}`}`;
}

describe('instances become jobs and arrays', () => {
  test('of one stage; each evaluation waits for its own training only', () => {
    const seeds = ['a', 'b', 'c'];
    expect(
      group([
        job('first'),
        ...seeds.map((seed) => job(`train@${seed}`, ['first'])),
        ...seeds.map((seed) => job(`evaluate@${seed}`, ['first', `train@${seed}`])),
        job(
          'report',
          seeds.map((seed) => `evaluate@${seed}`),
        ),
      ]),
    ).toEqual([
      'first(0:)',
      'train[0:a 1:b 2:c] after all #0',
      'evaluate[0:a 1:b 2:c] after all #0, same #1',
      'report(0:) after all #2',
    ]);
  });

  test('with the indices of what they wait for, where some of that is there already', () => {
    expect(
      group([
        ...['b', 'd'].map((seed) => job(`train@${seed}`)),
        ...['a', 'b', 'c', 'd'].map((seed) =>
          job(`evaluate@${seed}`, ['b', 'd'].includes(seed) ? [`train@${seed}`] : []),
        ),
      ]),
    ).toEqual(['train[0:b 1:d]', 'evaluate[0:a 1:c]', 'evaluate[0:b 1:d] after same #0']);
  });

  test('apart, where they ask for different things or do not wait for the same', () => {
    const large = { request: { ...request, memoryBytes: 2 ** 34 } };
    expect(
      group([job('x@1'), job('x@2', [], large), job('x@3'), job('y@1', ['x@1']), job('y@2', ['x@2'])]),
    ).toEqual(['x[0:1 1:3]', 'x(0:2)', 'y(0:1) after #0_0', 'y(0:2) after all #1']);
  });

  test('with single tasks named, where several of an array are waited for, or two want the same index', () => {
    expect(
      group([
        ...['1', '2', '3'].map((n) => job(`x@${n}`)),
        job('some', ['x@1', 'x@3']),
        job('y@1', ['x@2']),
        job('y@2', ['x@2']),
        job('y@3', ['x@3']),
      ]),
    ).toEqual([
      'x[0:1 1:2 2:3]',
      'some(0:) after #0_0, #0_2',
      'y[1:1 2:3] after same #0',
      'y(1:2) after #0_1',
    ]);
  });

  test('split where an array would be too large, and the same way further on', () => {
    const five = [1, 2, 3, 4, 5];
    expect(
      group([...five.map((n) => job(`x@${n}`)), ...five.map((n) => job(`y@${n}`, [`x@${n}`]))], {
        arraySize: 2,
      }),
    ).toEqual([
      'x[0:1 1:2]',
      'x[0:3 1:4]',
      'x(0:5)',
      'y[0:1 1:2] after same #0',
      'y[0:3 1:4] after same #1',
      'y(0:5) after all #2',
    ]);
  });

  test('alone, where they have a mutex', () => {
    const mutex = { mutex: 'disk' };
    expect(group([job('x@1', [], mutex), job('x@2', [], mutex)])).toEqual(['x(0:1)', 'x(0:2)']);
  });

  test('after jobs that an earlier command submitted', () => {
    const submitted = {
      old: [
        { index: 4, id: 'x@1' },
        { index: 5, id: 'x@2' },
      ],
    };
    expect(
      group([job('y@1', ['x@1']), job('y@2', ['x@2']), job('z', ['x@1', 'x@2'])], { submitted }),
    ).toEqual(['y[4:1 5:2] after same old', 'z(0:) after all old']);
  });

  test('after jobs of which some were submitted again: the array of the others is not waited for as a whole', () => {
    const submitted = { old: [{ index: 1, id: 'x@2' }], again: [{ index: 0, id: 'x@1' }] };
    expect(group([job('z', ['x@1', 'x@2'])], { submitted, sizes: { old: 2 } })).toEqual([
      'z(1:) after all again, old_1',
    ]);
  });

  test('of a stage that reads another instance of itself, one after the other', () => {
    expect(group([job('x@1'), job('x@2', ['x@1']), job('x@3', ['x@2'])])).toEqual([
      'x(0:1)',
      'x(0:2) after all #0',
      'x(0:3) after all #1',
    ]);
  });
});

describe('the limit of a stage', () => {
  const limited = (arrayLimit: number) => ({ request: { ...request, arrayLimit } });
  const many = (count: number, arrayLimit: number) =>
    Array.from({ length: count }, (_, i) => job(`x@${i + 1}`, [], limited(arrayLimit)));

  test('is that of its array', () => {
    expect(group(many(3, 2))).toEqual(['x[0:1 1:2 2:3]%2']);
  });

  test('is shared by size where there are several arrays, and never exceeds what they have', () => {
    expect(group(many(7, 4), { arraySize: 3 })).toEqual(['x[0:1 1:2 2:3]%2', 'x[0:4 1:5 2:6]%1', 'x(0:7)']);
    expect(group(many(5, 20), { arraySize: 3 })).toEqual(['x[0:1 1:2 2:3]%3', 'x[0:4 1:5]%2']);
  });

  test('is kept by rows where there are more jobs than may run at once', () => {
    const jobs = many(5, 2).map((one, i) => ({ ...one, request: { ...one.request, cpus: i + 1 } }));
    expect(group([...jobs, job('y', ['x@5'])])).toEqual([
      'x(0:1)',
      'x(0:2)',
      'x(0:3) after the end of #0',
      'x(0:4) after the end of #1',
      'x(0:5) after the end of #2',
      'y(0:) after all #4',
    ]);
  });

  const earlier = (token: string, size: number, atOnce: number, behind: readonly string[] = []) => ({
    ...{ token, stage: 'x', mutex: null, isArray: size > 1, atOnce },
    request: { ...request, arrayLimit: 3 },
    tasks: Array.from({ length: size }, (_, index) => ({ index, id: `x@${token}${index}` })),
    dependencies: behind.map((batch) => ({ kind: 'ended' as const, batch })),
  });

  test('counts what was submitted before and has not ended: the next is behind the earliest', () => {
    const one = many(1, 3);
    expect(group(one, { open: [earlier('a', 1, 1), earlier('b', 1, 1)] })).toEqual(['x(0:1)']);
    const three = [earlier('a', 1, 1), earlier('b', 1, 1), earlier('c', 1, 1)];
    expect(group(one, { open: three })).toEqual(['x(0:1) after the end of a']);
    expect(group(one, { open: [...three, earlier('d', 1, 1, ['a'])] })).toEqual([
      'x(0:1) after the end of b',
    ]);
    expect(group(one, { open: [earlier('a', 9, 3)] })).toEqual(['x(0:1) after the end of a']);
  });

  test('gives an array the rest of it, or all of it once the others have ended, whichever is more', () => {
    const four = many(4, 3);
    expect(group(four, { open: [earlier('a', 1, 1)] })).toEqual(['x[0:1 1:2 2:3 3:4]%2']);
    expect(group(four, { open: [earlier('a', 5, 2)] })).toEqual(['x[0:1 1:2 2:3 3:4]%3 after the end of a']);
    expect(group(many(1, 3), { open: [{ ...earlier('a', 5, 3), stage: 'other' }] })).toEqual(['x(0:1)']);
  });

  test('of one stage does not count for another', () => {
    expect(group([...many(2, 1), job('y@1'), job('y@2')])).toEqual(['x[0:1 1:2]%1', 'y[0:1 1:2]']);
  });
});
