import { ReproError } from '../errors.ts';

/**
 * Where a model's setting came from: its own file, or the profile (or `--set`) that overrides it. A message that names the wrong one would
 * send people to a file with nothing to fix.
 */
export class SettingOrigins {
  readonly #file: string;
  readonly #overrides: unknown;
  readonly #placeOf: (key: string) => string;

  /**
   * @param file name of the model's file for messages
   * @param overrides the profile's `train:` section
   * @param placeOf where a profile key such as `train.network.layers` was set; a stage cannot tell a file from `--set`
   */
  constructor(
    file: string,
    overrides: unknown = {},
    placeOf: (key: string) => string = () => 'the profile or --set',
  ) {
    this.#file = file;
    this.#overrides = overrides;
    this.#placeOf = placeOf;
  }

  /**
   * An error about a setting.
   *
   * @param key as in the model's file, such as `network.layers`; empty for the whole file
   * @param problem what follows the key: `expected …, found …`
   */
  refuse(code: string, key: string, problem: string, fix: string): ReproError {
    const over = this.#overridingKey(key);
    return over === undefined
      ? new ReproError(code, `${key === '' ? 'the file' : `"${key}"`}: ${problem}`, {
          where: this.#file,
          fix,
        })
      : new ReproError(code, `"${over}" over ${this.#file}: ${problem}`, {
          where: this.#placeOf(over),
          fix: `${fix}\nA profile’s \`train:\` overrides all of its models: change it there, or remove this one from \`models:\`.`,
        });
  }

  /** A warning about a setting with no effect: `configs/models/m.yaml: compat.base_tau: always-2 has no effect: …`. */
  warnOfNoEffect(key: string, value: string, why: string): string {
    const over = this.#overridingKey(key);
    return over === undefined
      ? `${this.#file}: ${key}: ${value} has no effect: ${why}.`
      : `${this.#placeOf(over)}: ${over}: ${value} has no effect on ${this.#file}: ${why}.`;
  }

  /** The profile's key that overrides a key of the model's file; undefined if the profile does not set it. */
  #overridingKey(key: string): string | undefined {
    const over = /^(?:network|compat)(?:\.|$)/.test(key) ? `train.${key}` : key;
    const [section, ...path] = over.split('.');
    if (section !== 'train' || path.length === 0) return undefined;
    let value: unknown = this.#overrides;
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = Reflect.get(value, step);
    }
    return value === undefined ? undefined : over;
  }
}
