import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { vi } from 'vitest';
import { findFreePort, findProgram, hostName, noSlurm } from './slurm-cluster.ts';

const missing = ['slurmdbd', 'mariadbd', 'mariadb-install-db'].filter((name) => findProgram(name) === null);

/** Why there can be no cluster with accounts here; null if there can. */
export const noAccounts =
  noSlurm ?? (missing.length === 0 ? null : 'needs Debian packages slurmdbd and mariadb-server');

/**
 * Starts what Slurm's accounts need: a MariaDB of its own, and slurmdbd.
 *
 * @param folder of the cluster: slurm.conf and slurm.key are there
 * @param add is told each daemon, to be stopped in the opposite order
 * @returns lines of slurm.conf
 */
export async function startAccounts(
  folder: string,
  add: (name: string, child: ChildProcess) => void,
): Promise<string[]> {
  const [databasePort, port] = [await findFreePort(), await findFreePort()];
  add('mariadbd', await startDatabase(path.join(folder, 'database'), databasePort));
  await waitForPort(databasePort);
  const lines = [
    'AuthType=auth/slurm',
    `DbdHost=${hostName}`,
    `DbdPort=${port}`,
    'SlurmUser=root',
    `LogFile=${path.join(folder, 'slurmdbd.log')}`,
    `PidFile=${path.join(folder, 'slurmdbd.pid')}`,
    'StorageType=accounting_storage/mysql',
    'StorageHost=127.0.0.1',
    `StoragePort=${databasePort}`,
    'StorageUser=slurm',
    'StoragePass=slurm',
  ];
  await fs.writeFile(path.join(folder, 'slurmdbd.conf'), `${lines.join('\n')}\n`, { mode: 0o600 });
  await startAccountant(port, { SLURM_CONF: path.join(folder, 'slurm.conf') }, add);
  return [
    'AccountingStorageType=accounting_storage/slurmdbd',
    `AccountingStorageHost=${hostName}`,
    `AccountingStoragePort=${port}`,
  ];
}

async function startDatabase(folder: string, port: number): Promise<ChildProcess> {
  const install = findProgram('mariadb-install-db') ?? '';
  const shared = ['--no-defaults', `--datadir=${folder}`, '--user=root'];
  execFileSync(install, [...shared, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    stdio: 'ignore',
  });
  const sql = path.join(folder, 'init.sql');
  await fs.writeFile(
    sql,
    "CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm';\nGRANT ALL ON *.* TO slurm@'127.0.0.1';\n",
  );
  const child = start('mariadbd', [
    ...shared,
    `--socket=${path.join(folder, 'socket')}`,
    `--pid-file=${path.join(folder, 'pid')}`,
    `--port=${port}`,
    `--init-file=${sql}`,
    ...[
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      '--innodb-flush-log-at-trx-commit=0',
      '--skip-log-bin',
    ],
  ]);
  return child;
}

/** Debian 13's slurmdbd ends right after it has made its database, and works from then on: MariaDB's library miscounts columns. */
async function startAccountant(
  port: number,
  environment: NodeJS.ProcessEnv,
  add: (name: string, child: ChildProcess) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const child = start('slurmdbd', ['-D'], environment);
    add('slurmdbd', child);
    const ended = new Promise<'ended'>((resolve) => child.once('exit', () => resolve('ended')));
    if ((await Promise.race([waitForPort(port), ended])) !== 'ended') return;
    if (attempt === 5) throw new Error('slurmdbd ends at once');
  }
}

function start(name: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const program = findProgram(name);
  if (program === null || !existsSync(program)) throw new Error(`${name} is not installed`);
  // What a daemon leaves behind when it crashes does not belong in the repository.
  return spawn(program, words, {
    cwd: os.tmpdir(),
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
}

function waitForPort(port: number): Promise<void> {
  const connect = () =>
    new Promise<void>((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve());
      socket.once('error', reject).once('connect', () => socket.end());
    });
  return vi.waitFor(connect, { timeout: 60_000, interval: 50 });
}
