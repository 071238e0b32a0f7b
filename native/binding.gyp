# The kernels are compiled once for each instruction set, as a static library each; the addon picks one at run time.
{
  'variables': {
    # Contracting a * b + c and ignoring errno and traps lets the compiler use the vector units fully. -ffast-math would
    # also do away with NaN, which must stay visible.
    'kernel_flags': ['-ffp-contract=fast', '-fno-math-errno', '-fno-trapping-math'],
    'avx2_flags': ['-march=x86-64-v3'],
    'avx512_flags': ['-march=x86-64-v4', '-mprefer-vector-width=512'],
  },

  'target_defaults': {
    'default_configuration': 'Release',
    # A thread may be ended in the middle of a call. Its error can no longer be thrown, and must not end the whole program.
    'defines': ['NAPI_VERSION=8', 'NAPI_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
    'conditions': [
      ['target_arch=="x64"', { 'defines': ['PLIF_X86'] }],
    ],
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden', '-fPIC', '-pthread', '-O3'],
    'cflags_cc': ['-std=c++17', '-fvisibility-inlines-hidden', '-fexceptions', '-frtti'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    # Node.js' own setting, for its profiler; it costs the kernels a register.
    'configurations': { 'Release': { 'cflags!': ['-fno-omit-frame-pointer'] } },
    'xcode_settings': {
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
      'CLANG_CXX_LIBRARY': 'libc++',
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'GCC_ENABLE_CPP_RTTI': 'YES',
      'GCC_OPTIMIZATION_LEVEL': '3',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'WARNING_CFLAGS': ['-Wall', '-Wextra'],
    },
  },

  'targets': [
    {
      'target_name': 'plif_baseline',
      'type': 'static_library',
      'sources': ['src/kernels/baseline.cc'],
      'cflags': ['<@(kernel_flags)'],
      'xcode_settings': { 'OTHER_CFLAGS': ['<@(kernel_flags)'] },
    },
    {
      'target_name': 'plif_native',
      'dependencies': ['plif_baseline'],
      'sources': [
        'src/kernels/detect.cc',
        '<!@(node scripts/list-sources.mjs src/events src/threads src/network src/addon)',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['PLIF_SOURCE_DIGEST="<!(node scripts/source-digest.cjs)"'],
      'ldflags': ['-pthread'],
      'conditions': [
        ['target_arch=="x64"', { 'dependencies': ['plif_avx2', 'plif_avx512'] }],
      ],
    },
  ],

  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'plif_avx2',
          'type': 'static_library',
          'sources': ['src/kernels/avx2.cc'],
          'cflags': ['<@(kernel_flags)', '<@(avx2_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(kernel_flags)', '<@(avx2_flags)'] },
        },
        {
          'target_name': 'plif_avx512',
          'type': 'static_library',
          'sources': ['src/kernels/avx512.cc'],
          'cflags': ['<@(kernel_flags)', '<@(avx512_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(kernel_flags)', '<@(avx512_flags)'] },
        },
      ],
    }],
  ],
}
