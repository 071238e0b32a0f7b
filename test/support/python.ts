import { spawnSync } from 'node:child_process';

/** Nothing of the project needs Python 3 except tests of commands that are written in it. */
export const hasPython = spawnSync('python3', ['--version']).status === 0;
