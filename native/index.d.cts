/** The addon; `src/network/engines/native/addon-types.ts` in plif-repro describes and checks it. */
declare const addon: unknown;
export = addon;
