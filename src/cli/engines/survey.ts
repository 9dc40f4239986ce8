import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Gpu} from '../../core/resources.ts';
import {cpuEngines, engineNames, gpuEngines, type EngineCheck, type EngineName} from '../../core/tensor-engine.ts';
import {chooseEngine} from '../../engine/chosen-engines.ts';
import type {Context} from '../context.ts';
import {openEngines} from './machine-engines.ts';
import {findProject} from '../project.ts';

/** One engine as it was found. This is also its JSON shape. */
export type SurveyedEngine = EngineCheck & {
  readonly engine: EngineName;
  /** Nodes that name no engine compute with it: those that get a GPU, or all others. */
  readonly usedFor?: 'gpu' | 'cpu';
};

export interface EngineSurvey {
  readonly engines: readonly SurveyedEngine[];
  /** A GPU that only WebGPU reaches. */
  readonly adapter?: Gpu;
}

export interface SurveyOptions {
  /** Try them again, whatever is remembered. */
  readonly refresh?: true;
}

/** Looks at all engines; remembers what it finds where there is a project. */
export async function surveyEngines(
  context: Context,
  {refresh = false}: {readonly refresh?: boolean},
): Promise<EngineSurvey> {
  const project = findProject(context);
  const scratch = project.ok ? undefined : mkdtempSync(join(tmpdir(), 'mixdown-engines-'));
  const cacheDir = project.ok ? project.value.cacheDir : (scratch ?? '');
  const onCheck = (engine: EngineName): void => context.note(`trying the tensor engine ${engine}`);
  try {
    const engines = openEngines({cacheDir, env: context.io.env, refresh, onCheck});
    const found: SurveyedEngine[] = [];
    for (const engine of engineNames) found.push({engine, ...(await engines.check(engine))});
    const [gpu, cpu] = await Promise.all([
      chooseEngine({resources: {cpu: 1, gpu: 1, whenNoGpu: 'cpu'}}, engines),
      chooseEngine({resources: {cpu: 1, gpu: 0, whenNoGpu: 'cpu'}}, engines),
    ]);
    const webgpu = await engines.check('webgpu');
    const devices = webgpu.works && webgpu.software !== true ? await engines.devices('webgpu') : [];
    const adapter = devices.find(({api}) => api === 'webgpu');
    return {
      engines: found.map((each) => {
        if (!each.works) return each;
        if (gpuEngines.includes(each.engine) && each.engine === gpu.engine) return {...each, usedFor: 'gpu'};
        return cpuEngines.includes(each.engine) && each.engine === cpu.engine ? {...each, usedFor: 'cpu'} : each;
      }),
      ...(adapter === undefined ? {} : {adapter}),
    };
  } finally {
    if (scratch !== undefined) rmSync(scratch, {recursive: true, force: true});
  }
}
