import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parse as parseYaml} from 'yaml';
import {sha256, type Sha256} from '../../../src/core/digest.ts';
import type {Json} from '../../../src/core/json.ts';
import type {Pin, PinnedInput, PinnedNumbers, PinnedOutput, Pins} from '../../../src/core/pins.ts';
import {parsePins, pinsText} from '../../../src/pins/pins-text.ts';
import {renderDiagnostics} from '../../../src/core/diagnostic-text.ts';

const hash = sha256('anything');

const pin: Pin = {
  stage: 'train',
  code: hash,
  params: {epochs: 30, rate: 0.001},
  seed: 7,
  toolchain: {engine: 'onnx-blas', node: '20'},
  inputs: {features: hash, order: {many: 2, hash}},
  outputs: {curve: {kind: 'file', hash, size: 12}, plots: {kind: 'tree', hash, size: 30, files: 3}},
  metrics: {map3: 0.604, loss: 1.25},
};

const pins = (nodes: Readonly<Record<string, Pin>>): Pins => ({
  targets: ['default'],
  nodes: new Map(Object.entries(nodes)),
});

function problemOf(text: string): string {
  const parsed = parsePins(text, 'mixdown.lock');
  return parsed.ok ? '' : renderDiagnostics(parsed.error);
}

describe('pinsText', () => {
  it('has a line for each thing that changes alone', () => {
    const text = pinsText(pins({'train[fold=2]': {...pin, accepted: {reason: 'new BLAS', on: '2026-01-02'}}}));
    expect(text.split('\n').slice(2)).toEqual([
      'version: 1',
      'targets: ["default"]',
      'nodes:',
      '  "train[fold=2]":',
      '    stage: "train"',
      `    code: "${hash}"`,
      '    params: {"epochs": 30, "rate": 0.001}',
      '    seed: 7',
      '    toolchain: {"engine": "onnx-blas", "node": "20"}',
      `    inputs: {"features": "${hash}", "order": {"hash": "${hash}", "many": 2}}`,
      '    outputs:',
      `      "curve": {"hash": "${hash}", "kind": "file", "size": 12}`,
      `      "plots": {"files": 3, "hash": "${hash}", "kind": "tree", "size": 30}`,
      '    metrics:',
      '      "loss": 1.25',
      '      "map3": 0.604',
      '    accepted: {"on": "2026-01-02", "reason": "new BLAS"}',
      '',
    ]);
  });

  it('sorts nodes by code unit, however they come', () => {
    const ids = ['b', 'a[x=10]', 'a[x=9]', 'Z'];
    const text = pinsText(pins(Object.fromEntries(ids.map((id) => [id, pin]))));
    expect([...text.matchAll(/^ {2}"(.*)":$/gm)].map(([, id]) => id)).toEqual(['Z', 'a[x=10]', 'a[x=9]', 'b']);
  });

  it('refuses what JSON cannot hold', () => {
    expect(() => pinsText(pins({a: {...pin, metrics: {loss: NaN}}}))).toThrow('NaN');
  });
});

const text = fc.string({unit: 'binary', maxLength: 12});
const name = fc.string({unit: 'grapheme', minLength: 1, maxLength: 8}).filter((key) => key !== '__proto__');
const digest = fc.uint8Array({maxLength: 3}).map((bytes): Sha256 => sha256(bytes));
const finite = fc.double({noNaN: true, noDefaultInfinity: true});
const members = <T>(value: fc.Arbitrary<T>) => fc.dictionary(name, value, {maxKeys: 3, noNullPrototype: true});
const json = fc.jsonValue({depthSize: 'small'}) as fc.Arbitrary<Json>;
const numbers: fc.Arbitrary<PinnedNumbers> = fc.oneof(
  fc
    .record({as: fc.constant('json' as const), form: digest, values: fc.array(finite, {maxLength: 4})})
    .map((each) => ({...each, count: each.values.length})),
  fc.record({as: fc.constant('npy' as const), form: digest, count: fc.nat(), sketch: fc.array(finite, {maxLength: 4})}),
);
const output: fc.Arbitrary<PinnedOutput> = fc.oneof(
  fc.record({kind: fc.constant('file' as const), hash: digest, size: fc.nat()}),
  fc.record({kind: fc.constant('file' as const), hash: digest, size: fc.nat(), numbers}),
  fc.record({kind: fc.constant('tree' as const), hash: digest, size: fc.nat(), files: fc.nat()}),
);
const input: fc.Arbitrary<PinnedInput> = fc.oneof(digest, fc.record({many: fc.nat(), hash: digest}));
const anyPin = fc.record(
  {
    stage: text,
    code: digest,
    params: members(json),
    seed: fc.nat(),
    toolchain: members(text),
    inputs: members(input),
    outputs: members(output).filter((outputs) => Object.keys(outputs).length > 0),
    metrics: members(finite),
    salt: text.filter((salt) => salt !== ''),
    each: fc.oneof(name, fc.array(name, {minLength: 1, maxLength: 2})),
    accepted: fc.record({reason: text, on: text}),
  },
  {requiredKeys: ['stage', 'code', 'params', 'seed', 'toolchain', 'inputs', 'outputs', 'metrics']},
) as fc.Arbitrary<Pin>;
const anyPins: fc.Arbitrary<Pins> = fc.record({
  targets: fc.array(text, {maxLength: 3}),
  nodes: fc.array(fc.tuple(text, anyPin), {maxLength: 4}).map((entries) => new Map(entries)),
});

describe('parsePins', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(anyPins, (made) => {
        const read = parsePins(pinsText(made), 'mixdown.lock');
        expect(read).toEqual({ok: true, value: made});
      }),
    );
  });

  it('reads what the YAML package reads', () => {
    fc.assert(
      fc.property(anyPins, (made) => {
        const yaml = parseYaml(pinsText(made)) as {targets: unknown; nodes: Record<string, Pin>};
        expect(yaml.targets).toEqual(made.targets);
        for (const [id, {metrics, outputs, stage}] of made.nodes) {
          expect(yaml.nodes[id]?.stage).toBe(stage);
          expect(yaml.nodes[id]?.metrics ?? {}).toEqual(metrics);
          expect(yaml.nodes[id]?.outputs).toEqual(outputs);
        }
      }),
    );
  });

  it('reads a file that Git gave Windows line ends, with comments and members in another order', () => {
    const written = pinsText(pins({train: pin}));
    const windows = written.replaceAll('\n', '\r\n');
    expect(parsePins(windows, 'mixdown.lock')).toEqual({ok: true, value: pins({train: pin})});
    const [before = '', after = ''] = written.split('    seed: 7\n');
    const moved = `${before}${after}# why\n\n    seed: 7\n`;
    expect(parsePins(moved, 'mixdown.lock')).toEqual({ok: true, value: pins({train: pin})});
  });

  const written = pinsText(pins({a: pin, b: pin}));

  it.each([
    ['<<<<<<< HEAD', /conflict of a merge is not solved/],
    ['=======', /conflict/],
    ['>>>>>>> other branch', /conflict/],
    ['||||||| 3fa1b2c', /conflict/],
    ['surprise: 1', /`surprise` is no part of a lock/],
    ['nonsense', /no place here: nonsense/],
    ['    surprise: 1', /`surprise` is no part of a node/],
    ['    stage: "b"', /`stage` of a is here twice/],
    ['  "a":', /node a is here twice/],
    ['  a:', /no JSON: a/],
    ['    salt: five', /no JSON: five/],
    ['    salt: 5', /`salt` of a is no text/],
  ])('tells the line of %s', (line, message) => {
    const lines = written.split('\n');
    // A node begins after all of the one before.
    const at = /^ {2}\S/.test(line) ? lines.length - 2 : lines.indexOf('    seed: 7');
    const told = problemOf([...lines.slice(0, at + 1), line, ...lines.slice(at + 1)].join('\n'));
    expect(told).toMatch(message);
    expect(told).toContain(`mixdown.lock:${at + 2}:1: `);
    expect(told).toMatch(/hint: .*(?:mixdown (?:run|lock)|remove one)/);
  });

  it.each([
    ['version: 1', 'version: 2', /version 2 is not one that this mixdown knows/],
    ['version: 1\n', '', /does not say `version: 1`/],
    ['targets: ["default"]\n', '', /does not say which `targets`/],
    ['targets: ["default"]', 'targets: [1]', /list of texts/],
    ['    stage: "train"\n', '', /node a does not say its `stage`/],
    [`    code: "${hash}"`, '    code: "12"', /`code` of a is no SHA-256/],
    ['"size": 12', '"size": -12', /`curve` is no output/],
    ['"loss": 1.25', '"loss": "1.25"', /`loss` is no number/],
    ['      "map3": 0.604', '      "loss": 0.604', /`loss` of a is here twice/],
    ['      "map3": 0.604', '      map3: 0.604', /no place here/],
    ['"many": 2', '"many": "2"', /`inputs` of a is wrong: `order` is no hash/],
    ['nodes:', 'nodes: {"a": 1}', /a line for each node/],
  ])('tells what is wrong with %j made %j', (from, to, message) => {
    expect(written).toContain(from);
    expect(problemOf(written.replace(from, to))).toMatch(message);
  });

  it('finds a text that was cut short, wherever that was', () => {
    const whole = pinsText(pins({a: pin}));
    for (let end = 0; end < whole.indexOf('"curve"'); end += 7) expect(problemOf(whole.slice(0, end))).not.toBe('');
  });
});
