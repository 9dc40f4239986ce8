import {describeEngine} from './engine-suite.ts';

await describeEngine('webgpu');
