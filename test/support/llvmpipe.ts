/** Mesa's software device compiles in half the time for narrow vectors and without optimisation. */
export const quickLlvmpipe = { LP_NATIVE_VECTOR_WIDTH: '128', GALLIVM_PERF: 'nopt' } as const;
