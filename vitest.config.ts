import {defineConfig} from 'vitest/config';
import {BaseSequencer, type TestSpecification} from 'vitest/node';

export default defineConfig({
  resolve: {conditions: ['mixdown-source']},
  ssr: {resolve: {conditions: ['mixdown-source'], externalConditions: ['node', 'import', 'default']}},
  test: {
    include: ['test/**/*.test.ts'],
    // Most tests wait for processes of their own; a core left idle would double the time on two.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: {
      sequencer: class extends BaseSequencer {
        /** On a fresh checkout vitest goes by the size of files, and a short file with long tests would be alone at the end. */
        override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
          const sorted = await super.sort(files);
          const isLong = ({moduleId}: TestSpecification): boolean =>
            /\/test\/(?:e2e|page|conformance)\//.test(moduleId);
          return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
        }
      },
    },
  },
});
