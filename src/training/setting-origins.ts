import { ReproError } from '../errors.ts';

/**
 * Who said a setting of a model: its own file, or the profile (and `--set`) over it. A message that names the wrong one sends people to
 * a file in which there is nothing to mend.
 */
export class SettingOrigins {
  readonly #file: string;
  readonly #overrides: unknown;
  readonly #placeOf: (key: string) => string;

  /**
   * @param file name of the model's file for messages
   * @param overrides the profile's `train:` section
   * @param placeOf where a key of the profile, such as `train.network.layers`, was said; a stage cannot tell file from `--set`
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
   * @param problem what goes on behind the key: `expected …, found …`
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
          fix: `${fix}\nA profile’s \`train:\` goes over each of its models: change it there, or leave this one out of \`models:\`.`,
        });
  }

  /** A warning of a setting that changes nothing: `configs/models/m.yaml: compat.base_tau: always-2 has no effect: …`. */
  warnOfNoEffect(key: string, value: string, why: string): string {
    const over = this.#overridingKey(key);
    return over === undefined
      ? `${this.#file}: ${key}: ${value} has no effect: ${why}.`
      : `${this.#placeOf(over)}: ${over}: ${value} has no effect on ${this.#file}: ${why}.`;
  }

  /** The profile's key that goes over a key of the model's file; undefined where the profile leaves the file its say. */
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
