import { resolve } from 'node:path';
import { readHttpAddress } from './http-address.ts';
import {
  choice,
  optionalSetting,
  type Parsed,
  pathAfter,
  refuse,
  type SettingKind,
  setting,
  visibleText,
  wholeNumber,
} from './setting.ts';

export interface FilePlace {
  readonly kind: 'file';
  /** Absolute path of the folder. */
  readonly directory: string;
}

export interface S3Place {
  readonly kind: 's3';
  readonly bucket: string;
  /** '' or a path without slashes at its ends. */
  readonly prefix: string;
}

/** The bucket and prefix of `s3://BUCKET/PREFIX`; undefined when it is none. Bucket names are those every store takes. */
export function readS3Place(text: string): S3Place | undefined {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([!-~]{0,512}?))?\/?$/.exec(text);
  const [, bucket, prefix = ''] = match ?? [];
  if (bucket === undefined || prefix.split('/').some((part, _, { length }) => length > 1 && part === ''))
    return undefined;
  return { kind: 's3', bucket, prefix };
}

function bodiesPlace(): SettingKind<FilePlace | S3Place> {
  return {
    type: 'place',
    unit: '',
    limits: 'file:DIRECTORY or s3://BUCKET/PREFIX',
    parse(value) {
      if (value.startsWith('s3:')) {
        const place = readS3Place(value);
        return place === undefined ? refuse('must be s3://BUCKET/PREFIX') : { ok: true, value: place };
      }
      const path = pathAfter('file:', value);
      if (path === undefined) return refuse('must be file:DIRECTORY or s3://BUCKET/PREFIX');
      return { ok: true, value: { kind: 'file', directory: resolve(path) } };
    },
  };
}

/** `http://HOST:PORT` or `https://…`, without path, name and password. */
function origin(): SettingKind<string> {
  return {
    type: 'place',
    unit: '',
    limits: 'http or https address',
    parse(text): Parsed<string> {
      const url = readHttpAddress(text);
      return url === undefined || url.pathname !== '/'
        ? refuse('must be an http or https address without path, name and password')
        : { ok: true, value: url.origin };
    },
  };
}

export const bodiesSetting = {
  OPENMESH_BODIES: setting(bodiesPlace(), {
    default: 'file:./openmesh-data/bodies',
    help: 'Where the bytes of larger messages are kept.',
  }),
};

export const s3Settings = {
  OPENMESH_S3_ENDPOINT: optionalSetting(origin(), {
    help: "The address of an S3-compatible store; Amazon's own, of the region, when left out. Credentials come from the standard chain (AWS_* variables, shared files, web identity, machine).",
  }),
  OPENMESH_S3_REGION: setting(visibleText(64), {
    default: 'us-east-1',
    help: "The region that requests are signed for; most stores of one's own do not mind.",
  }),
  OPENMESH_S3_PATH_STYLE: setting(choice('on', 'off'), {
    default: 'on',
    help: "Whether the bucket stands in the path of an address, as most stores of one's own ask for, or before the name of the host.",
  }),
  OPENMESH_S3_ENCRYPTION: setting(choice('none', 'AES256', 'aws:kms'), {
    default: 'none',
    help: 'The encryption at rest that the store is asked for with each object; none leaves it to the rules of the bucket.',
  }),
  OPENMESH_S3_KMS_KEY: optionalSetting(visibleText(2048), {
    help: "The key that aws:kms encrypts under; the store's default key when left out.",
  }),
  OPENMESH_S3_CONNECTIONS_MAX: setting(wholeNumber('connections', 1, 10_000), {
    default: 64,
    help: 'Connections to the store open at once; further requests wait.',
  }),
};
