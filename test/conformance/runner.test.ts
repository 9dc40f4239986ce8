import {createRunner} from '../../src/exec/runner.ts';
import {describeRunner} from './runner-suite.ts';

describeRunner('local runner', () => createRunner({workers: 2, env: {...process.env, SECRET: 's'}}));
