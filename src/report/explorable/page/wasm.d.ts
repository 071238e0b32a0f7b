/** Its bytes, which scripts/build.mjs puts into the script. */
declare module '*.wasm' {
  const bytes: Uint8Array;
  export default bytes;
}
