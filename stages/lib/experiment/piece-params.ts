import type {ParamSpec} from 'mixdown/stage';

/** How clips are cut to pieces: CutRule, as params of the stages that need it. */
export const pieceParams = {
  length: {type: 'integer', minimum: 1, default: 6, about: 'vectors of a piece; one vector is 0.96 s'},
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
} as const satisfies Readonly<Record<string, ParamSpec>>;
