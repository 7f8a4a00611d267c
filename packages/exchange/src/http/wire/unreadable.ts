import { STATUS_CODES } from 'node:http';
import { type ErrorName, wireError } from '@openmesh/protocol';

/** Why a connection was answered without anybody having seen its request. */
export type UnreadableReason = Extract<ErrorName, 'malformed-request' | 'headers-too-large' | 'request-timeout'>;

/** The whole answer to what never became a request. */
export function unreadableAnswer(name: UnreadableReason): string {
  const { status, contentType, body } = wireError(name, 1);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${contentType}\r\n`;
  return `${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}
