/** JSON Schema (2020-12) of a package's `mixdown.json`; the same as schemas/model.schema.json, which is for others. */
export const DESCRIPTION_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:mixdown:model:1',
  title: 'mixdown model package',
  description:
    'The file mixdown.json of a model package: what labels a recording, from the sound file to the scores of the classes.',
  type: 'object',
  required: ['type', 'classes', 'frontEnd', 'provenance'],
  additionalProperties: false,
  properties: {
    type: {const: 'model/1'},
    classes: {
      description: 'Names of the scores, in their order.',
      type: 'array',
      minItems: 2,
      uniqueItems: true,
      items: {type: 'string'},
    },
    frontEnd: {
      description:
        "From a sound file to what the model takes, in this order. What is absent is not done. A recording's scores are the geometric mean over its pieces, or over its patches where there are no segments, divided by their sum.",
      type: 'object',
      required: ['waveform', 'logMel'],
      additionalProperties: false,
      dependentRequired: {pca: ['extractor'], segments: ['extractor'], extractor: ['segments']},
      properties: {
        waveform: {
          description:
            'The mean of the channels, silence at both ends cut off, resampled, the peak scaled to 1, repeated when short; rounded to float32.',
          type: 'object',
          required: ['sampleRate', 'trimDb', 'trimPad', 'normalize', 'minSeconds', 'resampler'],
          additionalProperties: false,
          properties: {
            sampleRate: {description: 'Hz.', type: 'integer', minimum: 1000, maximum: 384000},
            trimDb: {
              description: 'Decibels below the loudest frame from which a frame at the ends counts as silent.',
              type: 'number',
              exclusiveMinimum: 0,
            },
            trimPad: {
              description: 'What the frames at the ends see beyond the recording.',
              enum: ['reflect', 'zero'],
            },
            normalize: {description: 'Scale the trimmed sound so that its peak is 1.', type: 'boolean'},
            minSeconds: {
              description: 'A shorter waveform is repeated up to this length.',
              type: 'number',
              minimum: 0,
              maximum: 3600,
            },
            resampler: {enum: ['sinc', 'resampy02']},
          },
        },
        logMel: {
          description: 'Patches of ln(magnitude in a mel band + logOffset).',
          type: 'object',
          required: ['windowSeconds', 'hopSeconds', 'bands', 'lowHz', 'highHz', 'logOffset', 'patchFrames', 'patchHop'],
          additionalProperties: false,
          properties: {
            windowSeconds: {type: 'number', exclusiveMinimum: 0, maximum: 10},
            hopSeconds: {type: 'number', exclusiveMinimum: 0, maximum: 10},
            bands: {type: 'integer', minimum: 1, maximum: 1024},
            lowHz: {type: 'number', minimum: 0},
            highHz: {type: 'number', exclusiveMinimum: 0},
            logOffset: {type: 'number', minimum: 1e-300},
            patchFrames: {type: 'integer', minimum: 1},
            patchHop: {description: 'Frames from one patch to the next.', type: 'integer', minimum: 1},
          },
        },
        extractor: {
          description:
            'The model in the folder extractor, and in extractor.onnx, makes one vector of each patch. Absent: the model takes patches.',
          type: 'object',
          required: ['name', 'width'],
          additionalProperties: false,
          properties: {
            name: {type: 'string'},
            width: {description: 'Values of a vector.', type: 'integer', minimum: 1},
          },
        },
        pca: {
          description:
            'Vectors are projected by pca.npz, (pca_eigen_vectors times (vector - pca_means)), cut to the first components, clipped to -2 ... 2 and quantised to bytes: floor((z + 2) * 63.75).',
          type: 'object',
          required: ['components', 'bytesAs'],
          additionalProperties: false,
          properties: {
            components: {type: 'integer', minimum: 1},
            bytesAs: {
              description:
                'What the model takes a byte q for. unit: (q - 128) / 128; whitened: q * 4 / 255 - 2 + 4 / 512.',
              enum: ['unit', 'whitened'],
            },
          },
        },
        segments: {
          description: 'Vectors are cut or repeated to pieces of one length, each an example for the model.',
          type: 'object',
          required: ['length', 'long', 'short'],
          additionalProperties: false,
          properties: {
            length: {description: 'Vectors of a piece.', type: 'integer', minimum: 1},
            long: {
              description:
                'Longer recordings: consecutive pieces, a rest of half a piece or more being one too; or the first piece only.',
              enum: ['split', 'truncate'],
            },
            short: {
              description: 'Fills a piece with its own vectors again, or with zeros: bytes 0 where there is a pca.',
              enum: ['repeat', 'zero'],
            },
            pieces: {
              description:
                'whole: one piece a recording, its first vectors; where it has fewer, masked ones follow, all 128 as bytes, else 0, and a vector of its own that is like that gets 129 or 1e-20 as its last value. Absent, or cut: as long and short say.',
              enum: ['cut', 'whole'],
            },
            scales: {
              description:
                'Before that, a vector becomes the means over so many vectors around it, one after another: from (scale - 1) / 2 before it, rounded down, and only those of the recording; means of bytes are rounded, halves up. Absent: [1], itself.',
              type: 'array',
              minItems: 1,
              uniqueItems: true,
              items: {type: 'integer', minimum: 1},
            },
          },
        },
      },
    },
    provenance: {
      description: 'What the package was made from. Nothing here changes a score.',
      type: 'object',
      required: ['files', 'training', 'checked'],
      additionalProperties: false,
      properties: {
        files: {
          description: 'The files that the package was made from.',
          type: 'object',
          additionalProperties: {
            type: 'object',
            required: ['sha256', 'bytes'],
            additionalProperties: false,
            properties: {
              sha256: {type: 'string', pattern: '^[0-9a-f]{64}$'},
              bytes: {type: 'integer', minimum: 0},
            },
          },
        },
        training: {
          description: 'What the training said about the model.',
          type: 'object',
          additionalProperties: {type: 'string'},
        },
        checked: {
          description: 'Recordings on which the package gave the scores of its pipeline when it was made.',
          type: 'integer',
          minimum: 0,
        },
      },
    },
  },
};
