const nx = require('@nx/eslint-plugin');
const tseslint = require('typescript-eslint');

/** Who may import whom between projects. A project's tag is in its project.json. */
const depConstraints = [
  { sourceTag: 'layer:kernel', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'layer:contracts', onlyDependOnLibsWithTags: ['layer:kernel'] },
  {
    sourceTag: 'layer:platform',
    onlyDependOnLibsWithTags: ['layer:kernel', 'layer:contracts', 'layer:local'],
  },
  {
    sourceTag: 'layer:directory',
    onlyDependOnLibsWithTags: ['layer:kernel', 'layer:contracts', 'layer:platform', 'layer:local'],
  },
  {
    sourceTag: 'layer:scope',
    onlyDependOnLibsWithTags: [
      'layer:kernel',
      'layer:contracts',
      'layer:platform',
      'layer:directory',
      'layer:local',
    ],
  },
  {
    sourceTag: 'scope:gate-sdk',
    onlyDependOnLibsWithTags: [
      'layer:kernel',
      'layer:contracts',
      'scope:entitlement',
      'layer:platform',
      'layer:local',
    ],
  },
  {
    sourceTag: 'layer:testing',
    onlyDependOnLibsWithTags: ['layer:kernel', 'layer:contracts', 'layer:local', 'layer:platform'],
  },
  { sourceTag: 'layer:local', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'layer:app', onlyDependOnLibsWithTags: ['*'] },
];

const technology = [
  '**/postgres/**',
  '**/http/**',
  '**/grpc/**',
  '**/kafka/**',
  '**/queue/**',
  '**/smtp/**',
  '**/provider/**',
];

/** The domain decides; it sees nothing of the machine it runs on. */
const domainRules = {
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { group: ['node:*', 'fs', 'path', 'crypto', 'os'], message: 'The domain imports no Node module.' },
        {
          group: [
            '@nestjs/*',
            'typeorm',
            'pg',
            'kafkajs',
            'bullmq',
            'ioredis',
            'nodemailer',
            'fastify',
            '@grpc/*',
            'pino',
          ],
          message: 'The domain knows no technology.',
        },
        {
          group: ['@tallygate/platform', '@tallygate/directory'],
          message: 'The domain imports kernel and contracts only.',
        },
        { group: ['**/service/**', ...technology], message: 'The domain imports no outer layer.' },
      ],
    },
  ],
  'no-restricted-globals': [
    'error',
    { name: 'Date', message: 'Time is an argument.' },
    { name: 'process', message: 'Configuration is an argument.' },
    { name: 'setTimeout', message: 'The domain does not wait.' },
    { name: 'setInterval', message: 'The domain does not wait.' },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Math', property: 'random', message: 'Randomness is an argument.' },
  ],
};

/** Use cases meet technology through ports only. */
const serviceRules = {
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          group: ['typeorm', 'pg', 'kafkajs', 'bullmq', 'ioredis', 'nodemailer', 'fastify', '@grpc/*'],
          message: 'A use case talks to ports.',
        },
        { group: technology, message: 'A use case talks to ports, which the technology folders implement.' },
      ],
    },
  ],
};

const noEnvironment = {
  'no-restricted-properties': [
    'error',
    {
      object: 'process',
      property: 'env',
      message: 'Configuration is one schema per app; only config/environment.ts reads the environment.',
    },
    { object: 'Math', property: 'random', message: 'Randomness is an argument.' },
  ],
};

module.exports = [
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      '.nx/**',
      '.cache/**',
      'coverage/**',
      '**/*.cjs',
      'bench/report/**',
    ],
  },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: [], depConstraints },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      // A property's type is also what Nest injects by, so `import type` is not forced on constructor parameters.
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/environment.ts'],
    rules: noEnvironment,
  },
  { files: ['libs/*/src/service/**/*.ts'], ignores: ['**/*.spec.ts'], rules: serviceRules },
  {
    files: ['libs/*/src/domain/**/*.ts', 'libs/kernel/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: domainRules,
  },
  { files: ['libs/kernel/src/clock.ts'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['**/*.spec.ts', '**/*.conformance.ts'], rules: { 'max-lines-per-function': 'off' } },
];
