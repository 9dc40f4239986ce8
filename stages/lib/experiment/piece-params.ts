import type {ParamSpec} from 'mixdown/stage';

/** How clips become pieces: PieceRule, as params of the stages that need it. */
export const pieceParams = {
  length: {type: 'integer', minimum: 1, default: 6, about: 'vectors of a piece; one vector is 0.96 s'},
  pieces: {
    type: 'string',
    enum: ['cut', 'whole'],
    default: 'cut',
    about:
      'cut: as `long` and `short` say; whole: one piece a clip, its first `length` vectors, and masked vectors after them ' +
      'where it has fewer, for models with `mask`',
  },
  long: {
    type: 'string',
    enum: ['split', 'truncate'],
    default: 'split',
    about: 'longer clips: consecutive pieces, a rest of half a piece or more being one too; or the first piece only',
  },
  short: {
    type: 'string',
    enum: ['repeat', 'zero'],
    default: 'repeat',
    about: 'fills a piece with its own vectors again, or with zeros (bytes 0, as packed AudioSet features have)',
  },
  scales: {
    type: 'array',
    items: {type: 'integer', minimum: 1},
    minItems: 1,
    uniqueItems: true,
    default: [1],
    about: 'what a vector is made of: the means over so many vectors around it, one after another; 1 is itself',
  },
} as const satisfies Readonly<Record<string, ParamSpec>>;
