import type { Resources } from '../plan/plan.ts';
import type { MachineResources } from './machine.ts';

export interface Grant {
  readonly cpus: number;
  readonly gpus: readonly string[];
}

interface Reservation {
  readonly grant: Grant;
  readonly memoryBytes: number;
}

/**
 * Who uses what of the machine. At most `jobs` instances hold something; what asks for more cores or memory than there are runs alone,
 * and what asks for more GPUs gets all of them. What asks for 0 cores runs on another machine, and takes nothing here.
 */
export class Reservations {
  readonly #machine: MachineResources;
  readonly #jobs: number;
  readonly #held = new Map<string, Reservation>();
  #freeGpus: readonly string[];
  #cpus = 0;
  #memoryBytes = 0;

  constructor(machine: MachineResources, jobs: number) {
    this.#machine = machine;
    this.#jobs = jobs;
    this.#freeGpus = machine.gpus;
  }

  get isFull(): boolean {
    return this.#countHere() >= this.#jobs;
  }

  #countHere(): number {
    return [...this.#held.values()].filter(({ grant }) => grant.cpus > 0).length;
  }

  /**
   * Reserves what an instance asks for; null if it has to wait.
   *
   * @param sharers how many instances that share the cores could run now or are running
   */
  take(id: string, wanted: Resources, sharers: number): Grant | null {
    if (wanted.cpu !== 0 && this.isFull) return null;
    const gpuCount = Math.min(wanted.gpu, this.#machine.gpus.length);
    if (gpuCount > this.#freeGpus.length) return null;
    const cpus = wanted.cpu === 'share' ? this.#partOf(wanted, sharers) : wanted.cpu;
    const fits =
      this.#cpus + cpus <= this.#machine.cpu &&
      this.#memoryBytes + wanted.memoryBytes <= this.#machine.memoryBytes;
    if (wanted.cpu !== 0 && !fits && this.#countHere() > 0) return null;

    const grant = { cpus, gpus: this.#freeGpus.slice(0, gpuCount) };
    this.#held.set(id, { grant, memoryBytes: wanted.memoryBytes });
    this.#freeGpus = this.#freeGpus.slice(gpuCount);
    this.#cpus += cpus;
    this.#memoryBytes += wanted.memoryBytes;
    return grant;
  }

  release(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    const free = new Set([...this.#freeGpus, ...held.grant.gpus]);
    // In the machine's order, so that the first ones are used first.
    this.#freeGpus = this.#machine.gpus.filter((gpu) => free.has(gpu));
    this.#cpus -= held.grant.cpus;
    this.#memoryBytes -= held.memoryBytes;
  }

  /** Equal parts of the cores, but no more than others leave. */
  #partOf(wanted: Resources, sharers: number): number {
    const { cpus } = shareCores(this.#machine, wanted, Math.min(sharers, this.#jobs));
    return Math.max(1, Math.min(cpus, this.#machine.cpu - this.#cpus));
  }
}

/**
 * How many of some instances that share the cores run at once, as far as memory allows, and with how many cores each.
 *
 * @param sharers how many there are
 */
export function shareCores(
  { cpu, memoryBytes }: MachineResources,
  wanted: Pick<Resources, 'memoryBytes'>,
  sharers: number,
): { readonly atOnce: number; readonly cpus: number } {
  const inMemory = wanted.memoryBytes > 0 ? Math.floor(memoryBytes / wanted.memoryBytes) : sharers;
  const atOnce = Math.max(1, Math.min(sharers, inMemory));
  return { atOnce, cpus: Math.max(1, Math.floor(cpu / atOnce)) };
}
