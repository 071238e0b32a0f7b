import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** What the machine can do at most. */
interface Ceilings {
  /** Single-precision values per register. */
  readonly lanes: number;
  readonly threads: number;
  readonly gflops: number;
  readonly readGBs: number;
  readonly copyGBs: number;
}

const instructionSets: Readonly<
  Record<string, { readonly name: string; readonly flags: readonly string[] }[]>
> = {
  x64: [
    { name: 'AVX2', flags: ['-march=x86-64-v3'] },
    { name: 'native', flags: ['-march=native', '-mprefer-vector-width=512'] },
  ],
};

/** Compiles and runs ceilings.cc for each number of threads. Without a C++ compiler it says so and returns nothing. */
export function measureCeilings(source: string, folder: string, threads: readonly number[]): Ceilings[] {
  const results: Ceilings[] = [];
  const sets = instructionSets[process.arch] ?? [{ name: 'native', flags: ['-mcpu=native'] }];
  for (const { name, flags } of sets) {
    const program = path.join(folder, `ceilings-${name}`);
    try {
      const always = ['-std=c++17', '-O3', '-ffp-contract=fast', '-pthread'];
      execFileSync('g++', [...always, ...flags, source, '-o', program], { stdio: 'pipe' });
    } catch {
      console.log(`ceilings for ${name}: not measured, as g++ is missing or does not know ${flags[0]}`);
      continue;
    }
    for (const count of threads) {
      try {
        const one: Ceilings = JSON.parse(execFileSync(program, [String(count)], { encoding: 'utf8' }));
        results.push(one);
        console.log(
          `ceilings, ${count} thread${count === 1 ? '' : 's'}, ${32 * one.lanes}-bit registers: ${one.gflops.toFixed(0)} GFLOP/s ` +
            `of fused multiply-adds, ${one.readGBs.toFixed(1)} GB/s read, ${one.copyGBs.toFixed(1)} GB/s copied (read + written)`,
        );
      } catch (error) {
        console.log(`ceilings for ${name}: not measured: ${String(error).split('\n')[0]}`);
      }
    }
  }
  return results;
}
