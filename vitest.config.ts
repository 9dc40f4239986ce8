import {defineConfig} from 'vitest/config';

export default defineConfig({
  resolve: {conditions: ['mixdown-source']},
  ssr: {resolve: {conditions: ['mixdown-source'], externalConditions: ['node', 'import', 'default']}},
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
