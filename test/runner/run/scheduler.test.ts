import { describe, expect, test } from 'vitest';
import type { Resources } from '../../../src/runner/plan/plan.ts';
import { type InstanceResult, type SchedulerOptions, schedule } from '../../../src/runner/run/scheduler.ts';

interface Setup {
  /** id -> what it depends on, in plan order. */
  readonly graph: Readonly<Record<string, readonly string[]>>;
  readonly results?: Readonly<Record<string, InstanceResult>>;
  readonly resources?: Readonly<Record<string, Partial<Resources>>>;
  readonly options?: Partial<SchedulerOptions>;
}

/** Runs a graph in which nothing is cached unless its result is `hit`; every run takes one turn of the event loop. */
async function trace({ graph, results = {}, resources = {}, options = {} }: Setup) {
  const log: string[] = [];
  const ids = Object.keys(graph);
  const outcome = await schedule({
    ids,
    dependenciesOf: (id) => graph[id] ?? [],
    resourcesOf: (id) => ({
      cpu: 1,
      memoryBytes: 0,
      gpu: 0,
      timeSeconds: null,
      ...resources[id],
    }),
    jobs: 2,
    machine: { cpu: 4, memoryBytes: 0, gpus: [] },
    signal: new AbortController().signal,
    prepare: async (id) => {
      const result = results[id] ?? 'done';
      if (result === 'hit') return 'hit';
      return async () => {
        log.push(`+${id}`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`-${id}`);
        return result;
      };
    },
    onBlocked: (id, by) => log.push(`!${id} by ${by.join(' ')}`),
    ...options,
  });
  return { log, outcome: Object.fromEntries(outcome) };
}

describe('the scheduler', () => {
  test('starts in plan order, each after what it depends on', async () => {
    const { log } = await trace({ graph: { a: [], b: ['a'], c: ['b'] } });
    expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c']);
  });

  test('never runs more at once than `jobs`', async () => {
    const { log } = await trace({ graph: { a: [], b: [], c: [], d: [] }, options: { jobs: 3 } });
    expect(log.slice(0, 3)).toEqual(['+a', '+b', '+c']);
    expect(log.indexOf('+d')).toBeGreaterThan(log.findIndex((entry) => entry.startsWith('-')));
  });

  test('lets what runs on another machine, and takes no cores here, pass all limits', async () => {
    const there = { cpu: 0 };
    const { log } = await trace({
      graph: { here: [], large: [], a: [], b: [], c: [] },
      resources: {
        large: { cpu: 9 },
        a: there,
        b: there,
        c: there,
      },
      options: { jobs: 1 },
    });
    expect(log.slice(0, 4)).toEqual(['+here', '+a', '+b', '+c']);
    expect(log.indexOf('+large')).toBeGreaterThan(log.indexOf('-here'));
  });

  test('lets a small instance pass a large one that does not fit yet', async () => {
    const { log } = await trace({
      graph: { a: [], big: [], small: [] },
      resources: { a: { cpu: 2 }, big: { cpu: 3 }, small: { cpu: 1 } },
      options: { jobs: 4 },
    });
    expect(log.slice(0, 2)).toEqual(['+a', '+small']);
    expect(log.indexOf('+big')).toBeGreaterThan(log.indexOf('-a'));
  });

  test('blocks everything that depends on a failure, names the failures, and runs the rest', async () => {
    const { log, outcome } = await trace({
      graph: { a: [], b: [], c: ['a'], d: ['c', 'b'], e: ['b'], f: ['hit'], hit: [] },
      results: { a: 'failed', hit: 'hit' },
    });
    expect(log.filter((entry) => entry.startsWith('!'))).toEqual(['!c by a', '!d by a']);
    expect(outcome).toEqual({ a: 'failed', b: 'done', e: 'done', f: 'done', hit: 'hit' });
  });

  test('of several that could start, takes the first in plan order', async () => {
    const graph = { a: [], b: [], c: ['a'], d: ['c'] };
    const { log } = await trace({ graph, options: { jobs: 1 } });
    expect(log.filter((entry) => entry.startsWith('+'))).toEqual(['+a', '+b', '+c', '+d']);
  });

  test('gives each the GPUs that nobody has, and all there are to one that asks for more', async () => {
    const granted: string[] = [];
    const busy = new Set<string>();
    const gpu: Record<string, number> = { a: 1, b: 2, c: 1, d: 9, e: 1 };
    await trace({
      graph: { a: [], b: [], c: [], d: [], e: [] },
      resources: Object.fromEntries(Object.entries(gpu).map(([id, count]) => [id, { gpu: count, cpu: 1 }])),
      options: {
        jobs: 5,
        machine: { cpu: 8, memoryBytes: 0, gpus: ['2', '3', 'MIG-x'] },
        prepare: async (id) => async (grant) => {
          granted.push(`${id}: ${grant.gpus.join(' ')}`);
          for (const one of grant.gpus) {
            expect(busy).not.toContain(one);
            busy.add(one);
          }
          await new Promise((resolve) => setImmediate(resolve));
          for (const one of grant.gpus) busy.delete(one);
          return 'done';
        },
      },
    });
    expect(granted).toEqual(['a: 2', 'b: 3 MIG-x', 'c: 2', 'e: 3', 'd: 2 3 MIG-x']);
  });

  test('after a failure starts nothing more if it is told so, and waits for what is running', async () => {
    const graph = { bad: [], slow: [], next: [], 'after-bad': ['bad'] };
    const options: Partial<SchedulerOptions> = { jobs: 2, failFast: true };
    const { log, outcome } = await trace({ graph, results: { bad: 'failed' }, options });
    expect(log).toEqual(['+bad', '+slow', '-bad', '!after-bad by bad', '-slow']);
    expect(outcome).toEqual({ bad: 'failed', slow: 'done' });
  });

  describe('sharing the cores', () => {
    const share = { cpu: 'share' } as const;
    /** The cores that each instance got, in the order in which they started. */
    async function traceCpus(
      ids: readonly string[],
      options: Partial<SchedulerOptions>,
      resources: Setup['resources'] = Object.fromEntries(ids.map((id) => [id, share])),
      hits: readonly string[] = [],
    ) {
      const granted: string[] = [];
      await trace({
        graph: Object.fromEntries(ids.map((id) => [id, []])),
        resources,
        options: {
          jobs: 8,
          machine: { cpu: 8, memoryBytes: 8, gpus: [] },
          prepare: async (id) =>
            hits.includes(id)
              ? 'hit'
              : async ({ cpus }) => {
                  granted.push(`${id}:${cpus}`);
                  await new Promise((resolve) => setImmediate(resolve));
                  return 'done';
                },
          ...options,
        },
      });
      return granted;
    }

    test('gives one instance all of them, and several equal parts', async () => {
      expect(await traceCpus(['a'], {})).toEqual(['a:8']);
      expect(await traceCpus(['a', 'b'], {})).toEqual(['a:4', 'b:4']);
      expect(await traceCpus(['a', 'b', 'c'], {})).toEqual(['a:2', 'b:2', 'c:2']);
    });

    test('makes no more parts than can run at once, because of jobs, cores or memory', async () => {
      const ids = ['a', 'b', 'c', 'd'];
      expect((await traceCpus(ids, { jobs: 2 })).slice(0, 2)).toEqual(['a:4', 'b:4']);
      const machine = { cpu: 2, memoryBytes: 8, gpus: [] };
      expect((await traceCpus(ids, { machine })).slice(0, 2)).toEqual(['a:1', 'b:1']);
      const large = Object.fromEntries(ids.map((id) => [id, { ...share, memoryBytes: 3 }]));
      expect((await traceCpus(ids, {}, large)).slice(0, 2)).toEqual(['a:4', 'b:4']);
    });

    test('counts only those that have to run', async () => {
      expect(await traceCpus(['a', 'b', 'c'], {}, undefined, ['b', 'c'])).toEqual(['a:8']);
    });

    test('gives no more than others leave, and at least one', async () => {
      const resources = { a: { cpu: 6 }, b: share, c: share, d: share };
      const granted = await traceCpus(['a', 'b', 'c', 'd'], {}, resources);
      expect(granted.slice(0, 2)).toEqual(['a:6', 'b:2']);
      const one = { a: { cpu: 8 }, b: share };
      expect(await traceCpus(['a', 'b'], {}, one)).toEqual(['a:8', 'b:8']);
    });
  });

  test('starts nothing after an abort, and waits for what is running', async () => {
    const stop = new AbortController();
    const { log, outcome } = await trace({
      graph: { a: [], b: ['a'] },
      options: {
        signal: stop.signal,
        prepare: async (id) => async () => {
          stop.abort();
          await new Promise((resolve) => setImmediate(resolve));
          return id === 'a' ? 'interrupted' : 'done';
        },
      },
    });
    expect(log).toEqual([]);
    expect(outcome).toEqual({ a: 'interrupted' });
  });

  test('runs a thousand instances that do not depend on each other', async () => {
    const graph = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`i${i}`, []]));
    const { outcome } = await trace({ graph });
    expect(Object.keys(outcome)).toHaveLength(1000);
  });

  test('settles ten thousand instances of a chain that are all up to date', async () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(5, '0'));
    const graph = Object.fromEntries(ids.map((id, i) => [`i${id}`, i === 0 ? [] : [`i${ids[i - 1]}`]]));
    const { outcome } = await trace({ graph, options: { prepare: async () => 'hit' } });
    expect(Object.keys(outcome)).toHaveLength(10_000);
  });
});

describe('an instance whose results are being fetched', () => {
  test('holds up nothing but what depends on it', async () => {
    const log: string[] = [];
    let arrive = (_: InstanceResult): void => {};
    const fetched = new Promise<InstanceResult>((resolve) => {
      arrive = resolve;
    });
    const { outcome } = await trace({
      graph: { a: [], b: [], c: ['b'], d: ['a', 'c'] },
      options: {
        prepare: async (id) => {
          if (id === 'a') return { pending: fetched };
          return async () => {
            log.push(id);
            // If a were waited for, c would never run.
            if (id === 'c') arrive('hit');
            return 'done';
          };
        },
      },
    });
    expect(log).toEqual(['b', 'c', 'd']);
    expect(outcome).toEqual({ a: 'hit', b: 'done', c: 'done', d: 'done' });
  });

  test('is waited for after an abort, and nothing more is prepared', async () => {
    const stop = new AbortController();
    const asked: string[] = [];
    const { outcome } = await trace({
      graph: { a: [], b: [], c: ['a'] },
      options: {
        signal: stop.signal,
        prepare: async (id) => {
          asked.push(id);
          stop.abort();
          return { pending: new Promise((resolve) => setImmediate(() => resolve('hit'))) };
        },
      },
    });
    expect(asked).toEqual(['a']);
    expect(outcome).toEqual({ a: 'hit' });
  });

  test('asks what is under way to end, and waits for it, where something cannot be prepared', async () => {
    const halted = new AbortController();
    const log: string[] = [];
    const run = trace({
      graph: { a: [], first: [], b: ['first'], c: ['a'] },
      options: {
        signal: halted.signal,
        halt: () => halted.abort(),
        prepare: async (id) => {
          if (id === 'b') throw new Error('b is broken');
          if (id === 'first') return async () => 'done';
          return async () => {
            log.push(`+${id}`);
            await new Promise((resolve) => halted.signal.addEventListener('abort', resolve));
            log.push(`-${id}`);
            return 'interrupted';
          };
        },
      },
    });
    await expect(run).rejects.toThrow('b is broken');
    expect(log).toEqual(['+a', '-a']);
  });
});
