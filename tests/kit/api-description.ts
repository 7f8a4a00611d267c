import { readFileSync } from 'node:fs';
import { type AnySchema, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { MeshReply } from './mesh-client.ts';

type Json = Readonly<Record<string, unknown>>;

interface DescribedResponse {
  readonly headers?: Readonly<Record<string, Json>>;
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>;
}

export interface DescribedOperation {
  /** As templated in the description. */
  readonly path: string;
  readonly method: string;
  /** The exchange's own name of the operation. */
  readonly name: string;
  readonly isOpen: boolean;
  /** 'default' left out. */
  readonly statuses: readonly string[];
  readonly responses: Readonly<Record<string, Json>>;
}

const methods = ['get', 'post', 'put', 'head', 'delete', 'patch'] as const;
const file = new URL('../../docs/openapi.json', import.meta.url);

/** `docs/openapi.json`, and how far the answers of a running server have shown it to be true. */
export class ApiDescription {
  readonly operations: readonly DescribedOperation[];
  /** `METHOD path status` of every answer checked so far. */
  readonly seen = new Set<string>();
  readonly #document: Json;
  readonly #ajv = new Ajv2020({ strict: true, allErrors: true });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor() {
    this.#document = JSON.parse(readFileSync(file, 'utf8')) as Json;
    const { schemas } = this.#document['components'] as { readonly schemas: Json };
    this.#ajv.addSchema({ $id: 'components', $defs: this.#local(schemas) });
    this.operations = Object.entries(this.#document['paths'] as Readonly<Record<string, Json>>).flatMap(
      ([path, item]) => methods.flatMap((method) => describeOperation(path, method, item[method] as Json | undefined)),
    );
  }

  /** Compiles every schema there is; throws when one is no schema or points nowhere. */
  compileAll(): void {
    const { schemas } = this.#document['components'] as { readonly schemas: Json };
    for (const name of Object.keys(schemas)) this.#validator({ $ref: `#/components/schemas/${name}` });
    for (const { responses } of this.operations) {
      for (const response of Object.values(responses)) {
        const { headers = {}, content = {} } = this.#resolve(response) as DescribedResponse;
        for (const header of Object.values(headers)) this.#validator(this.#resolve(header)['schema'] as Json);
        for (const { schema } of Object.values(content)) this.#validator(schema);
      }
    }
  }

  /** What is wrong with an answer by the description, one sentence each; nothing when it is as described. */
  check(operation: DescribedOperation, version: 1 | 2, reply: MeshReply): string[] {
    const status = String(reply.status);
    const described = operation.responses[status] ?? operation.responses['default'];
    if (described === undefined) return [`the status ${status} is not described`];
    this.seen.add(`${operation.method} ${operation.path} ${status}`);
    const response = this.#resolve(described) as DescribedResponse;
    return [...this.#checkHeaders(response, reply), ...this.#checkBody(response, version, operation.method, reply)];
  }

  /** Operations and statuses that no answer has shown yet. */
  unseen(): string[] {
    return this.operations
      .flatMap(({ method, path, statuses }) => statuses.map((status) => `${method} ${path} ${status}`))
      .filter((each) => !this.seen.has(each));
  }

  #checkHeaders({ headers = {} }: DescribedResponse, reply: MeshReply): string[] {
    const problems: string[] = [];
    for (const [name, described] of Object.entries(headers)) {
      const { required, schema } = this.#resolve(described) as { required?: boolean; schema: Json };
      const value = reply.headers[name];
      if (value === undefined && required === true && reply.headers['mex-messagetype'] !== 'REPORT')
        problems.push(`the header ${name} is missing`);
      if (value !== undefined) problems.push(...this.#invalid(schema, value, `header ${name}`));
    }
    const undescribed = Object.keys(reply.headers).filter((name) => name.startsWith('mex-') && !(name in headers));
    return [...problems, ...undescribed.map((name) => `the header ${name} is not described`)];
  }

  #checkBody({ content = {} }: DescribedResponse, version: 1 | 2, method: string, reply: MeshReply): string[] {
    if (method === 'HEAD') return reply.body.length === 0 ? [] : ['a HEAD has a body'];
    if ('*/*' in content) return [];
    const asked = version === 2 ? 'application/vnd.mesh.v2+json' : 'application/json';
    if (reply.body.length === 0) return asked in content ? ['the body is empty'] : [];
    const type = reply.headers['content-type'] ?? '';
    const described = content[type];
    if (described === undefined) return [`the content type ${type} is not described`];
    const text = reply.body.toString('latin1');
    return this.#invalid(described.schema, type.includes('json') ? JSON.parse(text) : text, 'body');
  }

  #invalid(schema: Json, value: unknown, what: string): string[] {
    const validate = this.#validator(schema);
    if (validate(value)) return [];
    return [`${what}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`];
  }

  #validator(schema: Json): ValidateFunction {
    const key = JSON.stringify(schema);
    const known = this.#compiled.get(key) ?? this.#ajv.compile(this.#local(schema) as AnySchema);
    this.#compiled.set(key, known);
    return known;
  }

  /** The same schema with its references pointing into the set the validator knows. */
  #local(schema: Json): Json {
    return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"components#/$defs/')) as Json;
  }

  #resolve(value: Json): Json {
    const { $ref } = value as { $ref?: string };
    if ($ref === undefined) return value;
    let found: unknown = this.#document;
    for (const step of $ref.slice(2).split('/')) found = (found as Json | undefined)?.[step];
    if (found === undefined) throw new Error(`${$ref} points nowhere`);
    return found as Json;
  }
}

function describeOperation(path: string, method: string, found: Json | undefined): DescribedOperation[] {
  if (found === undefined) return [];
  const responses = found['responses'] as Readonly<Record<string, Json>>;
  const statuses = Object.keys(responses).filter((status) => status !== 'default');
  const name = found['x-operation'];
  if (typeof name !== 'string') throw new Error(`${method} ${path} names no operation`);
  return [{ path, method: method.toUpperCase(), name, isOpen: found['security'] !== undefined, statuses, responses }];
}
