import { resolve } from 'node:path';
import { Secret } from './secret.ts';
import { type Parsed, pathAfter, refuse, type SettingKind } from './setting.ts';

export interface SqlitePlace {
  readonly engine: 'sqlite';
  /** Absolute path of the database file. */
  readonly path: string;
}

export interface PostgresPlace {
  readonly engine: 'postgres';
  /** `postgres://…`, which may hold a password. */
  readonly url: Secret<string>;
  /** The same as it may be printed. */
  readonly shown: string;
}

export type LedgerPlace = SqlitePlace | PostgresPlace;

const postgresScheme = /^postgres(ql)?:\/\//i;

/** Where the records are kept: a file of this machine, or a database that several nodes share. */
export function ledgerPlace(): SettingKind<LedgerPlace> {
  return {
    type: 'place',
    unit: '',
    limits: 'sqlite:PATH or postgres://USER@HOST:PORT/DATABASE',
    parse(value) {
      if (/^postgres/i.test(value)) return parsePostgres(value);
      const path = pathAfter('sqlite:', value);
      if (path === undefined) return refuse('must be sqlite:PATH or postgres://USER@HOST:PORT/DATABASE');
      if (path === ':memory:') return refuse('must name a file: what is accepted must be kept');
      return { ok: true, value: { engine: 'sqlite', path: resolve(path) } };
    },
    show: showPlace,
  };
}

function parsePostgres(value: string): Parsed<PostgresPlace> {
  if (!postgresScheme.test(value) || !URL.canParse(value)) {
    return refuse('must be a URL of the form postgres://USER@HOST:PORT/DATABASE');
  }
  const { hostname, pathname } = new URL(value);
  if (hostname === '' || !/^\/[^/]+$/.test(pathname)) return refuse('must name a host and a database');
  return { ok: true, value: { engine: 'postgres', url: new Secret(value), shown: showPlace(value) } };
}

/** Without its password, wherever in the URL it stands. */
function showPlace(value: string): string {
  if (!postgresScheme.test(value)) return value;
  const hidden = value.replace(/^([^:]+:\/\/[^:@/]*):[^@/]*@/, '$1:********@');
  return hidden.replaceAll(/([?&][a-z_]*password=)[^&]*/gi, '$1********');
}
