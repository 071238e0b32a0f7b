import { describe, expect, test } from 'vitest';
import { createSlurm } from './fake-slurm.ts';

const over = 'scancel: error: Kill job error on job id 12: Job/step already completing or completed';
const unknown = 'scancel: error: Kill job error on job id 13: Invalid job id specified';
const denied = 'scancel: error: Kill job error on job id 14: Access/permission denied';

describe('cancelling', () => {
  test.each([
    [[over, unknown], { kind: 'ok', text: '' }],
    [[over, denied, unknown], { kind: 'refused', text: denied }],
    [[over, 'scancel: error: Socket timed out on send/recv operation'], { kind: 'unknown' }],
  ])('is judged by every line of the answer: %j', async (lines, answer) => {
    const slurm = await createSlurm({ scancel: `cat >&2 <<'END'\n${lines.join('\n')}\nEND\nexit 1` });
    expect(await slurm.cancel(['12', '13', '14'])).toMatchObject(answer);
  });

  test('that says nothing but fails has not succeeded', async () => {
    const slurm = await createSlurm({ scancel: 'exit 1' });
    expect(await slurm.cancel(['12'])).toMatchObject({ kind: 'refused', text: 'scancel ended with code 1' });
  });
});

describe('jobs are found by name', () => {
  test('those that have not ended first; of a shared name, only those with the comment or the script', async () => {
    const rows = [
      '9|CANCELLED|repro:ab|/p/ab/job.sh',
      '12|PENDING||/p/other/job.sh',
      '11|RUNNING|replaced by the site|/p/ab/job.sh',
    ];
    const slurm = await createSlurm({ squeue: `printf '%s\\n' ${rows.map((row) => `'${row}'`).join(' ')}` });
    expect(await slurm.findJobs('train.ab', 'repro:ab', '/p/ab/job.sh')).toEqual({ ids: ['11', '12', '9'] });
    expect(await slurm.findJobs('mutex.disk', 'repro:ab', '/p/ab/job.sh')).toEqual({ ids: ['11', '9'] });
  });

  test('also in partitions that the site hides, as all that is asked', async () => {
    const squeue = `case " $* " in *' --all '*) echo '12|N/A|PENDING|repro:ab||None';; esac`;
    const slurm = await createSlurm({ squeue });
    expect(await slurm.readQueue(['12'])).toEqual({ table: expect.objectContaining({ size: 1 }) });
    const found = await createSlurm({
      squeue: `case " $* " in *' --all '*) echo '12|PENDING|repro:ab';; esac`,
    });
    expect(await found.findJobs('train.ab', 'repro:ab', '/p/ab/job.sh')).toEqual({ ids: ['12'] });
  });
});

describe('what is known about jobs', () => {
  const squeue = "echo '12|N/A|RUNNING|0:05|node7|None'";
  const stateOf = async (programs: Readonly<Record<string, string>>, hasAccounting: boolean) => {
    const answer = await (await createSlurm(programs)).readStates(['12', '13_0'], hasAccounting);
    return 'problem' in answer ? answer.problem : [answer.stateOf('12'), answer.stateOf('13_0')];
  };
  const running = expect.objectContaining({ state: 'RUNNING' });

  test('is what the queue says, then what accounting says; neither need answer', async () => {
    const sacct = "echo '13_0|CANCELLED by 7|00:00:00|None assigned|0:0'";
    const cancelled = expect.objectContaining({ state: 'CANCELLED' });
    expect(await stateOf({ squeue, sacct }, true)).toEqual([running, cancelled]);
    expect(await stateOf({ squeue, sacct: 'true' }, true)).toEqual([running, 'absent']);
    expect(await stateOf({ squeue, sacct: 'exit 1' }, true)).toEqual([running, null]);
    expect(await stateOf({ squeue }, false)).toEqual([running, 'absent']);
    expect(await stateOf({ squeue: 'echo down >&2; exit 1' }, false)).toBe('down');
  });
});
