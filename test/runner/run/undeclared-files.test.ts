import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { FileAccess } from '../../../src/executors/strace.ts';
import type { RunEvent } from '../../../src/runner/run/events.ts';
import { findUndeclared, reportTrace } from '../../../src/runner/run/trace.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const surroundings = {
  declared: { read: ['/home/me/p/in', '/home/me/p/tools/run.py', '/tmp/p/out'], write: ['/tmp/p/out'] },
  projectRoot: '/home/me/p',
  home: '/home/me',
  temporary: '/tmp',
};

/** @param lines `kind path` */
async function find(...lines: string[]): Promise<string[]> {
  const accesses = lines.map((line): FileAccess => {
    const [, kind = '', path = '', real = null] = /^(\w+) (.*?)(?: -> (.*))?$/.exec(line) ?? [];
    return { kind: kind as FileAccess['kind'], path, real };
  });
  return (await findUndeclared(accesses, surroundings)).map(({ access, path }) => `${access} ${path}`);
}

describe('undeclared are', () => {
  const system = ['/usr/lib/x.so', '/etc/passwd', '/proc/self/maps', '/dev/null', '/lib64/ld.so'];
  test.each(
    Object.entries<[found: string[], undeclared: string[]]>({
      'files in the project, in the home folder and elsewhere, but not what the system consists of': [
        [
          'read /home/me/p/other',
          'read /home/me/.config/x',
          'read /data/y',
          'write /dev/null',
          'write /home/me/p/in/changed',
          'write /home/me/p/notes',
          ...system.map((one) => `read ${one}`),
        ],
        [
          'read /data/y',
          'read /home/me/.config/x',
          'read /home/me/p/other',
          'write /home/me/p/in/changed',
          'write /home/me/p/notes',
        ],
      ],
      'not files that are declared by either name, or that the stage wrote itself': [
        [
          'read /home/me/p/in/a',
          'read /home/me/p/in/link -> /data/b',
          'read /home/me/p/link -> /home/me/p/in/a',
          'write /tmp/p/out/c',
          'write /tmp/x',
          'read /tmp/x',
          'read /tmp/y',
        ],
        ['read /tmp/y'],
      ],
      'not programs, with what is installed beside them; but files beside a program of the project': [
        [
          'read /home/me/.pyenv/version',
          'run /home/me/.pyenv/shims/python3',
          'run /home/me/conda/bin/python3',
          'read /home/me/conda/lib/python3/os.py',
          'run /home/me/.local/bin/tool',
          'read /home/me/.local/lib/tool.py',
          'read /home/me/.local/share/data',
          'run /home/me/bin/mine',
          'read /home/me/notes',
          'run /home/me/p/bin/own',
          'read /home/me/p/settings',
        ],
        [
          'read /home/me/.local/share/data',
          'read /home/me/bin/mine',
          'read /home/me/notes',
          'read /home/me/p/bin/own',
          'read /home/me/p/settings',
        ],
      ],
      'not the listing of folders that lead to declared files, compiled Python, or a look at what is outside':
        [
          [
            'list /home/me/p/tools',
            'list /home/me/p',
            'list /home/me/p/lib',
            'read /home/me/p/lib/one',
            'read /home/me/p/tools/__pycache__/x.pyc',
            'write /home/me/p/tools/__pycache__/x.pyc',
            'look /home/me/elsewhere',
            'look /home/me/p/looked',
          ],
          ['read /home/me/p/lib', 'read /home/me/p/looked'],
        ],
    }),
  )('%s', async (_, [accesses, undeclared]) => {
    expect(await find(...accesses)).toEqual(undeclared);
  });

  test('named as a folder if there are many of its files', async () => {
    const names = ['1', '2', '3', '4', '5'];
    expect(await find(...names.map((one) => `read /home/me/p/lib/${one}`))).toEqual(['read /home/me/p/lib']);
    expect(await find(...names.slice(1).map((one) => `read /home/me/p/lib/${one}`))).toHaveLength(4);
    expect(await find(...names.map((one) => `read /home/me/p/${one}`))).toHaveLength(5);
    expect(await find(...names.map((one) => `write /home/me/p/lib/${one}`))).toHaveLength(5);
  });
});

test('a trace is read from its first line on, however long it takes to find what is declared', async () => {
  const projectRoot = await temporaryFolder();
  const traceFile = path.join(projectRoot, 'trace');
  await fs.writeFile(traceFile, `7  openat(AT_FDCWD, "${projectRoot}/x", O_RDONLY) = 3<${projectRoot}/x>\n`);
  const events: RunEvent[] = [];
  await reportTrace(
    {
      traceFile,
      declared: () => wait(100, { read: [], write: [] }),
      declaration: { stage: 's', where: 'pipeline.yaml:1:1', projectRoot, outputs: [], inputs: [] },
    },
    { id: 's', hermetic: false },
    { kind: 'done', peakMemoryBytes: null },
    { environment: { TMPDIR: '/nowhere' }, onEvent: (event) => events.push(event) },
  );
  expect(events[0]).toMatchObject({
    kind: 'traced',
    undeclared: [{ access: 'read', path: `${projectRoot}/x` }],
  });
});
