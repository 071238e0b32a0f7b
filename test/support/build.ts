import { execFileSync } from 'node:child_process';
import process from 'node:process';

/** Compiles the command line before the tests, as `npm ci` does. */
export default function build(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
