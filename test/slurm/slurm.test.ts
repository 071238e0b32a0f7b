import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { forgotten, Slurm } from '../../src/runner/executors/slurm/slurm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Slurm whose programs are shell scripts, for what a real one cannot be made to answer. */
async function createSlurm(programs: Readonly<Record<string, string>>): Promise<Slurm> {
  const folder = await temporaryFolder();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  return new Slurm({ PATH: `${folder}:/bin:/usr/bin` });
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

const print = (...lines: readonly string[]): string => `cat <<'END'\n${lines.join('\n')}\nEND`;

/** Of a cluster that keeps no accounts. */
const disabled = 'echo "Slurm accounting storage is disabled" >&2; exit 1';

describe('what is known about jobs', () => {
  const squeue = print('12|RUNNING|node7|None');
  const statesOf = async (programs: Readonly<Record<string, string>>) => {
    const answer = await (await createSlurm({ sacct: disabled, ...programs })).readStates(['12', '13']);
    return [answer.stateOf('12'), answer.stateOf('13'), answer.problem];
  };
  const running = { state: 'RUNNING', reason: null, node: 'node7' };
  const unknown = { state: forgotten, reason: null, node: null };

  test('is what the queue says, then what accounting says; neither need answer', async () => {
    const sacct = "echo '13|CANCELLED by 7|None assigned|0:9'";
    const cancelled = { state: 'CANCELLED', reason: 'RaisedSignal:9', node: null };
    expect(await statesOf({ squeue, sacct })).toEqual([running, cancelled, null]);
    expect(await statesOf({ squeue, sacct: 'true' })).toEqual([running, unknown, null]);
    expect(await statesOf({ squeue, sacct: 'exit 1' })).toEqual([running, null, expect.any(String)]);
    expect(await statesOf({ squeue })).toEqual([running, unknown, null]);
    expect(await statesOf({ squeue: 'echo down >&2; exit 1' })).toEqual([null, null, 'squeue: down']);
    const invalid = 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1';
    expect(await statesOf({ squeue: invalid })).toEqual([unknown, unknown, null]);
  });

  test('has whatever Slurm gives as the reason; lines of another form are skipped', async () => {
    const lines = [
      'a message of the site',
      '13|FAILED|node[1-2]|a reason | with (signs)',
      '12|not a state||None',
    ];
    const reason = 'a reason | with (signs)';
    expect(await statesOf({ squeue: print(...lines) })).toEqual([
      unknown,
      { state: 'FAILED', reason, node: 'node[1-2]' },
      null,
    ]);
  });

  test('also in partitions that the site hides', async () => {
    const hidden = `case " $* " in *' --all '*) ${squeue}\n;; esac`;
    expect((await statesOf({ squeue: hidden }))[0]).toEqual(running);
  });
});

test('a job is found by its name, in accounting if it has left the queue', async () => {
  const find = async (programs: Readonly<Record<string, string>>) =>
    (await createSlurm({ sacct: disabled, ...programs })).findJob('train.ab');
  expect(await find({ squeue: 'echo 12; echo 12' })).toEqual({ kind: 'ok', text: '12' });
  expect(await find({ squeue: 'true', sacct: 'echo 13' })).toEqual({ kind: 'ok', text: '13' });
  expect(await find({ squeue: 'true' })).toEqual({ kind: 'ok', text: '' });
  expect(await find({ squeue: 'echo down >&2; exit 1' })).toEqual({ kind: 'refused', text: 'down' });
});
