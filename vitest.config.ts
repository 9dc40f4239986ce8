import {defineConfig} from 'vitest/config';

export default defineConfig({
  resolve: {conditions: ['mixdown-source']},
  ssr: {resolve: {conditions: ['mixdown-source'], externalConditions: ['node', 'import', 'default']}},
  test: {
    include: ['test/**/*.test.ts'],
    // Most tests wait for processes of their own; a core left idle would double the time on two.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
