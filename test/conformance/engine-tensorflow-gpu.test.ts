import {describeEngine} from './engine-suite.ts';

await describeEngine('tensorflow-gpu');
