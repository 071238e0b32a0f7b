#!/usr/bin/env node
// Kills the runner and its stages at many random moments: npm run test:crash -- --kills 400 --seed 1
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '400' }, seed: { type: 'string' } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
console.log(`${values.kills} kills with seed ${seed}`);
const vitest = path.resolve(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/runner/execution-crash.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, CRASH_KILLS: values.kills, CRASH_SEED: seed },
});
process.exitCode = status ?? 1;
