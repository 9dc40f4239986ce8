import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {discoverMachine} from '../../exec/devices.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import {speedText} from '../../report/engine-text.ts';
import {textTable} from '../../report/table.ts';
import type {Context} from '../context.ts';
import {surveyEngines, type SurveyOptions} from '../engines/survey.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {neededPackages} from '../package.ts';
import type {Finding} from '../finding.ts';
import {displayPath, findProject, type Project} from '../project.ts';
import {remoteFindings} from '../remote/checkup.ts';

/** Looks for what commonly goes wrong. Exit code 1 when something keeps mixdown from working. JSON: the findings. */
export async function doctorCommand(context: Context, options: SurveyOptions): Promise<ExitCode> {
  const findings: Finding[] = [nodeFinding(), ...packageFindings()];
  const project = findProject(context);
  if (project.ok) {
    findings.push(...cacheFindings(project.value, context), ...leftoverFindings(project.value));
    findings.push(...(await remoteFindings(context, project.value)));
  } else {
    findings.push({
      what: 'project',
      state: 'note',
      text: project.error[0]?.message ?? '',
      hint: 'mixdown init starts one',
    });
  }
  findings.push(...(await deviceFindings(context)), ...(await engineFindings(context, options)));
  if (context.globals.json) context.printJson(findings);
  else context.print(textOf(findings, context));
  return findings.some(({state}) => state === 'bad') ? exitCodes.nodeFailed : exitCodes.done;
}

function textOf(findings: readonly Finding[], {paint}: Context): string {
  const marks = {good: paint.good('ok'), note: paint.dim('-'), warn: paint.warn('!'), bad: paint.bad('✗')};
  const rows = findings.flatMap(({what, state, text, hint}) => [
    [marks[state], what, text],
    ...(hint === undefined ? [] : [['', '', paint.dim(hint)]]),
  ]);
  return textTable([{title: ''}, {title: ''}, {title: ''}], rows);
}

function nodeFinding(): Finding {
  const {node} = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  if (supported) return {what: 'node', state: 'good', text: node};
  return {
    what: 'node',
    state: 'bad',
    text: `${node} is not supported`,
    hint: 'use 20.19 or later, 22.12 or later, or 24',
  };
}

function packageFindings(): readonly Finding[] {
  const require = createRequire(import.meta.url);
  const missing = neededPackages().filter((name) => {
    try {
      return require.resolve.paths(name)?.some((folder) => existsSync(join(folder, name, 'package.json'))) !== true;
    } catch {
      return true;
    }
  });
  return [
    missing.length === 0
      ? {what: 'packages', state: 'good', text: 'all there'}
      : {what: 'packages', state: 'bad', text: `missing: ${missing.join(', ')}`, hint: 'install them again: npm ci'},
  ];
}

function cacheFindings({cacheDir}: Project, {io}: Context): readonly Finding[] {
  const shown = displayPath(cacheDir, io.cwd);
  const probe = join(cacheDir, `.doctor-${process.pid}`);
  try {
    mkdirSync(probe, {recursive: true});
    writeFileSync(join(probe, 'a'), 'x');
    const links: string[] = [];
    if (works(() => copyFileSync(join(probe, 'a'), join(probe, 'b'), constants.COPYFILE_FICLONE_FORCE)))
      links.push('reflink');
    if (works(() => linkSync(join(probe, 'a'), join(probe, 'c')))) links.push('hardlink');
    const {bavail, bsize} = statfsSync(cacheDir);
    const free = bavail * bsize;
    return [
      {what: 'cache', state: 'good', text: `${shown} is writable`},
      links.length > 0
        ? {what: 'links', state: 'good', text: links.join(', ')}
        : {
            what: 'links',
            state: 'warn',
            text: 'neither reflinks nor hard links',
            hint: 'artifacts are copied out of the cache, which takes their space again',
          },
      free < 1024 ** 3
        ? {what: 'disk', state: 'warn', text: `${bytesText(free)} free`, hint: 'free some space: mixdown gc'}
        : {what: 'disk', state: 'good', text: `${bytesText(free)} free`},
    ];
  } catch (error) {
    return [
      {
        what: 'cache',
        state: 'bad',
        text: `${shown} is not writable: ${(error as Error).message}`,
        hint: 'check its owner and mode, or choose another with --cache',
      },
    ];
  } finally {
    rmSync(probe, {recursive: true, force: true});
  }
}

function leftoverFindings({cacheDir, runsDir}: Project): readonly Finding[] {
  const count = (folder: string): number => {
    try {
      return readdirSync(folder).length;
    } catch {
      return 0;
    }
  };
  const locks = count(join(cacheDir, 'locks'));
  const work = count(join(cacheDir, 'work'));
  const failed = count(join(cacheDir, 'failed'));
  const quarantined = count(join(cacheDir, 'quarantine'));
  const checkpoints = count(join(cacheDir, 'checkpoints'));
  const writable = !existsSync(runsDir) || works(() => statfsSync(runsDir));
  const parts = [
    ...(locks > 0 ? [countText(locks, 'lock')] : []),
    ...(work > 0 ? [countText(work, 'work folder')] : []),
    ...(failed > 0 ? [countText(failed, 'failed job')] : []),
    ...(checkpoints > 0 ? [countText(checkpoints, 'checkpoint')] : []),
    ...(quarantined > 0 ? [`${quarantined} in quarantine`] : []),
  ];
  if (!writable) return [{what: 'runs', state: 'bad', text: 'runs/ cannot be read'}];
  if (parts.length === 0) return [{what: 'left-overs', state: 'good', text: 'none'}];
  return [
    {
      what: 'left-overs',
      state: 'note',
      text: parts.join(', '),
      hint: 'those of running builds are in use, others go away by themselves; failed jobs stay for you: mixdown clean; from a checkpoint its job goes on',
    },
  ];
}

async function deviceFindings({io}: Context): Promise<readonly Finding[]> {
  const {machine, notes} = await discoverMachine({env: io.env});
  const memory = bytesText(machine.memoryMiB * 1024 ** 2);
  return [
    {what: 'cpu', state: 'good', text: `${countText(machine.cpu, 'core')}, ${memory}`},
    ...machine.gpus.map(({name, memoryMiB}): Finding => {
      return {what: 'gpu', state: 'good', text: `${name}, ${bytesText(memoryMiB * 1024 ** 2)}`};
    }),
    ...notes.map((text): Finding => ({what: 'gpu', state: 'note', text})),
  ];
}

/** Of the tensor engines only those matter that come before the ones in use. */
async function engineFindings(context: Context, options: SurveyOptions): Promise<readonly Finding[]> {
  const {engines} = await surveyEngines(context, options);
  const findings = engines.map((engine): Finding => {
    const {engine: name} = engine;
    if (engine.works) {
      const speed = speedText(engine.gflops);
      const use =
        engine.usedFor === undefined ? '' : `, used for nodes ${engine.usedFor === 'gpu' ? 'with' : 'without'} a GPU`;
      if (name === 'cpu' && engine.usedFor === 'cpu') {
        return {
          what: name,
          state: 'warn',
          text: `${speed}${use}: plain JavaScript is about a hundred times slower than the others`,
        };
      }
      return {what: name, state: 'good', text: `${speed}${use}`};
    }
    const {reason: text, hint} = engine;
    const rest = hint === undefined ? {} : {hint};
    // The others are extras: a machine without them is well.
    return {what: name, state: name === 'onnx-blas' || name === 'wasm' ? 'warn' : 'note', text, ...rest};
  });
  if (engines.some(({works: good}) => good)) return findings;
  return [
    ...findings,
    {what: 'tensors', state: 'bad', text: 'no tensor engine works', hint: 'install them again: npm ci'},
  ];
}

function works(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
