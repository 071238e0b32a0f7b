import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseElapsed } from '../../src/executors/slurm/job-state.ts';
import { Slurm } from '../../src/executors/slurm/slurm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Slurm whose programs are shell scripts, for what a real one cannot be made to answer. */
async function createSlurm(
  programs: Readonly<Record<string, string>>,
  hasAccounting = false,
): Promise<Slurm> {
  const folder = await temporaryFolder();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  return new Slurm({ PATH: `${folder}:/bin:/usr/bin` }, hasAccounting);
}

const over = 'scancel: error: Kill job error on job id 12: Job/step already completing or completed';
const unknown = 'scancel: error: Kill job error on job id 13: Invalid job id specified';
const denied = 'scancel: error: Kill job error on job id 14: Access/permission denied';

const silent = 'scancel: error: Socket timed out on send/recv operation';

describe('cancelling', () => {
  const cancel = async (script: string): Promise<string | undefined> =>
    (await createSlurm({ scancel: script })).cancel(['12', '13', '14']).then(
      () => undefined,
      ({ code, message }) => `${code}: ${message}`,
    );

  test.each([
    [[over, unknown], undefined],
    [[over, denied, unknown], `slurm-refused: Slurm refuses to cancel\n  ${denied}`],
    [[over, silent], `slurm-unreachable: Slurm's controller does not answer: ${over}\n${silent}`],
  ])('is judged by every line of the answer: %j', async (lines, problem) => {
    expect(await cancel(`cat >&2 <<'END'\n${lines.join('\n')}\nEND\nexit 1`)).toBe(problem);
  });

  test('that says nothing but fails has not succeeded', async () => {
    expect(await cancel('exit 1')).toContain('scancel ended with code 1');
  });
});

/** A line of squeue, in columns of fixed width. */
const row = (id: string, index: string, state: string, code = '0:0', node = '', reason = 'None'): string =>
  [id, index, state, '0:05', code].map((cell) => cell.padEnd(20)).join('') +
  node.padEnd(120) +
  reason.padEnd(200);

const print = (...lines: readonly string[]): string => `cat <<'END'\n${lines.join('\n')}\nEND`;

describe('what is known about jobs', () => {
  const squeue = print(row('12', 'N/A', 'RUNNING', '0:0', 'node7'));
  const statesOf = async (programs: Readonly<Record<string, string>>, hasAccounting: boolean) => {
    const answer = await (await createSlurm(programs, hasAccounting)).readStates(['12', '13_0']);
    return [answer.stateOf('12'), answer.stateOf('13_0'), answer.problem];
  };
  const running = { state: 'RUNNING', reason: null, node: 'node7', elapsedSeconds: 5 };

  test('is what the queue says, then what accounting says; neither need answer', async () => {
    const sacct = "echo '13_0|CANCELLED by 7|00:00:00|0:9|None assigned'";
    const cancelled = { state: 'CANCELLED', reason: 'RaisedSignal:9', node: null, elapsedSeconds: 0 };
    expect(await statesOf({ squeue, sacct }, true)).toEqual([running, cancelled, null]);
    expect(await statesOf({ squeue, sacct: 'true' }, true)).toEqual([running, 'absent', null]);
    expect(await statesOf({ squeue, sacct: 'exit 1' }, true)).toEqual([running, null, expect.any(String)]);
    expect(await statesOf({ squeue }, false)).toEqual([running, 'absent', null]);
    expect(await statesOf({ squeue: 'echo down >&2; exit 1' }, false)).toEqual([null, null, 'squeue: down']);
    const unknown = 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1';
    expect(await statesOf({ squeue: unknown }, false)).toEqual(['absent', 'absent', null]);
  });

  test('has the exit code, and whatever Slurm gives as the reason; lines of another form are skipped', async () => {
    const lines = [
      'a message of the site',
      row('13', '0', 'FAILED', '79:0', 'node[1-2]', 'a reason | with (signs)'),
      row('12', 'N/A', 'not a state'),
    ];
    expect(await statesOf({ squeue: print(...lines) }, false)).toEqual([
      'absent',
      {
        state: 'FAILED',
        reason: 'a reason | with (signs)',
        node: 'node[1-2]',
        elapsedSeconds: 5,
        exitCode: 79,
      },
      null,
    ]);
  });

  test('also in partitions that the site hides', async () => {
    const hidden = `case " $* " in *' --all '*) ${squeue}\n;; esac`;
    expect((await statesOf({ squeue: hidden }, false))[0]).toEqual(running);
  });

  test.each([
    ['4:05', 245],
    ['01:02:03', 3723],
    ['2-00:00:10', 172_810],
    ['INVALID', null],
  ])('a time of %s is %j s', (text, seconds) => {
    expect(parseElapsed(text)).toBe(seconds);
  });
});

test('a job is found by its name, in accounting if it has left the queue', async () => {
  const find = async (programs: Readonly<Record<string, string>>, hasAccounting = true) =>
    (await createSlurm(programs, hasAccounting)).findJob('train.ab');
  expect(await find({ squeue: 'echo 12; echo 12' })).toEqual({ id: '12' });
  expect(await find({ squeue: 'true', sacct: 'echo 13_4' })).toEqual({ id: '13' });
  expect(await find({ squeue: 'true' }, false)).toEqual({ id: null });
  expect(await find({ squeue: 'echo down >&2; exit 1' })).toEqual({ problem: 'down' });
});
