import process from 'node:process';
import { Command } from 'commander';
import { runCommandLine } from '../process/command-line.ts';
import { describeJudgeCommand } from './commands.ts';

declare const PACKAGE_VERSION: string;

// `judge.mjs`: the command `repro judge` as a program of its own.
const name = 'node judge.mjs';
const program = new Command(name).version(PACKAGE_VERSION);
await runCommandLine(describeJudgeCommand(program, name), process.argv);
