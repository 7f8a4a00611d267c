import { asks, tells } from '../question.ts';

export const raiseVersion = asks<{ version: number }>(
  'raise-registry-version',
  'update registry_version set version = version + 1 where one = 1 returning version',
  'unsettles',
);

export interface MailboxRow {
  mailboxId: string;
  name: string;
  odsCode: string;
  orgCode: string;
  orgName: string;
  billingEntity: string;
  state: string;
  certificateMatch: string | null;
  delegatedOdsCodes: string;
  receivesChunked: number;
}

// Of each table of the registry: its rows after a key, in order of the key, and one row.

const mailbox = `select mailbox_id as "mailboxId", name, ods_code as "odsCode", org_code as "orgCode",
     org_name as "orgName", billing_entity as "billingEntity", state, certificate_match as "certificateMatch",
     delegated_ods_codes as "delegatedOdsCodes", receives_chunked as "receivesChunked" from mailbox`;

export const listMailboxes = asks<MailboxRow>(
  'list-mailboxes',
  `${mailbox} where mailbox_id > $1 order by mailbox_id limit $2 + 0`,
);
export const readMailbox = asks<MailboxRow>('read-mailbox', `${mailbox} where mailbox_id = $1`);

export interface CredentialRow {
  credentialId: string;
  mailboxId: string;
  sealed: string;
  validFromMs: number;
  validToMs: number | null;
}

const credential = `select credential_id as "credentialId", mailbox_id as "mailboxId", sealed,
     valid_from_ms as "validFromMs", valid_to_ms as "validToMs" from credential`;

export const listCredentials = asks<CredentialRow>(
  'list-credentials',
  `${credential} where credential_id > $1 order by credential_id limit $2 + 0`,
);
export const readCredential = asks<CredentialRow>('read-credential', `${credential} where credential_id = $1`);

export interface SharedKeyRow {
  sharedKeyId: string;
  sealed: string;
  validFromMs: number;
  validToMs: number | null;
}

const sharedKey = `select shared_key_id as "sharedKeyId", sealed, valid_from_ms as "validFromMs",
     valid_to_ms as "validToMs" from shared_key`;

export const listSharedKeys = asks<SharedKeyRow>(
  'list-shared-keys',
  `${sharedKey} where shared_key_id > $1 order by shared_key_id limit $2 + 0`,
);
export const readSharedKey = asks<SharedKeyRow>('read-shared-key', `${sharedKey} where shared_key_id = $1`);

export interface CertificateRow {
  fingerprint: string;
  serial: string;
  subject: string;
  mailboxId: string | null;
  revokedAtMs: number | null;
}

const certificate = `select fingerprint, serial, subject, mailbox_id as "mailboxId", revoked_at_ms as "revokedAtMs"
   from certificate`;

export const listCertificates = asks<CertificateRow>(
  'list-certificates',
  `${certificate} where fingerprint > $1 order by fingerprint limit $2 + 0`,
);
export const readCertificate = asks<CertificateRow>('read-certificate', `${certificate} where fingerprint = $1`);

/** The keys of the rows that a version changed, as JSON by table. */
export const noteChange = tells('note-registry-change', 'insert into registry_change (version, keys) values ($1, $2)');
export const forgetChanges = tells('forget-registry-changes', 'delete from registry_change where version <= $1');
export const listChanges = asks<{ version: number; keys: string }>(
  'list-registry-changes',
  'select version, keys from registry_change where version > $1 order by version',
);

// Each of these changes no row when the row already says the same, so that an import applied twice changes nothing.

export const putMailbox = tells(
  'put-mailbox',
  `insert into mailbox (mailbox_id, name, ods_code, org_code, org_name, billing_entity, state, certificate_match,
     delegated_ods_codes, receives_chunked)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   on conflict (mailbox_id) do update
     set name = excluded.name, ods_code = excluded.ods_code, org_code = excluded.org_code,
       org_name = excluded.org_name, billing_entity = excluded.billing_entity, state = excluded.state,
       certificate_match = excluded.certificate_match, delegated_ods_codes = excluded.delegated_ods_codes,
       receives_chunked = excluded.receives_chunked
     where (mailbox.name, mailbox.ods_code, mailbox.org_code, mailbox.org_name, mailbox.billing_entity, mailbox.state,
         coalesce(mailbox.certificate_match, ''), mailbox.delegated_ods_codes, mailbox.receives_chunked)
       <> (excluded.name, excluded.ods_code, excluded.org_code, excluded.org_name, excluded.billing_entity,
         excluded.state, coalesce(excluded.certificate_match, ''), excluded.delegated_ods_codes,
         excluded.receives_chunked)`,
);

export const putCredential = tells(
  'put-credential',
  `insert into credential (credential_id, mailbox_id, kind, sealed, valid_from_ms, valid_to_ms)
   values ($1, $2, $3, $4, $5, $6)
   on conflict (credential_id) do update
     set mailbox_id = excluded.mailbox_id, kind = excluded.kind, sealed = excluded.sealed,
       valid_from_ms = excluded.valid_from_ms, valid_to_ms = excluded.valid_to_ms
     where (credential.mailbox_id, credential.kind, credential.sealed, credential.valid_from_ms,
         coalesce(credential.valid_to_ms, -1))
       <> (excluded.mailbox_id, excluded.kind, excluded.sealed, excluded.valid_from_ms,
         coalesce(excluded.valid_to_ms, -1))`,
);

export const putSharedKey = tells(
  'put-shared-key',
  `insert into shared_key (shared_key_id, sealed, valid_from_ms, valid_to_ms) values ($1, $2, $3, $4)
   on conflict (shared_key_id) do update
     set sealed = excluded.sealed, valid_from_ms = excluded.valid_from_ms, valid_to_ms = excluded.valid_to_ms
     where (shared_key.sealed, shared_key.valid_from_ms, coalesce(shared_key.valid_to_ms, -1))
       <> (excluded.sealed, excluded.valid_from_ms, coalesce(excluded.valid_to_ms, -1))`,
);

export const putCertificate = tells(
  'put-certificate',
  `insert into certificate (fingerprint, serial, subject, mailbox_id, revoked_at_ms) values ($1, $2, $3, $4, $5)
   on conflict (fingerprint) do update
     set serial = excluded.serial, subject = excluded.subject, mailbox_id = excluded.mailbox_id,
       revoked_at_ms = excluded.revoked_at_ms
     where (certificate.serial, certificate.subject, coalesce(certificate.mailbox_id, ''),
         coalesce(certificate.revoked_at_ms, -1))
       <> (excluded.serial, excluded.subject, coalesce(excluded.mailbox_id, ''), coalesce(excluded.revoked_at_ms, -1))`,
);

export const putConnection = tells(
  'put-connection',
  `insert into connection
     (mailbox_id, client_version, os_name, os_version, os_architecture, java_version, user_agent, at_ms)
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (mailbox_id, client_version, os_name, os_version, os_architecture, java_version, user_agent)
     do update set at_ms = excluded.at_ms`,
);

/** A client that invents a new name each time may not grow the history without bound. */
export const trimConnections = tells(
  'trim-connections',
  `delete from connection where mailbox_id = $1 and at_ms <
     (select min(at_ms) from
       (select at_ms from connection where mailbox_id = $1 order by at_ms desc limit $2 + 0) as kept)`,
);

export interface ConnectionRow {
  clientVersion: string;
  osName: string;
  osVersion: string;
  osArchitecture: string;
  javaVersion: string;
  userAgent: string;
  atMs: number;
}

export const listConnections = asks<ConnectionRow>(
  'list-connections',
  `select client_version as "clientVersion", os_name as "osName", os_version as "osVersion",
     os_architecture as "osArchitecture", java_version as "javaVersion", user_agent as "userAgent", at_ms as "atMs"
   from connection where mailbox_id = $1 order by at_ms desc limit $2 + 0`,
);
