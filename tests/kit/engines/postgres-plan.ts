import type { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';

export interface Plan {
  /** Indexes that rows are found by, each once and in order of their names; a star behind one of more than one part. */
  readonly walks: string;
  /** Tables and indexes walked without a condition. */
  readonly unled: readonly string[];
  readonly sorts: number;
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Node[];
}

/** Reads how PostgreSQL would answer a statement, as a connection of the exchange has it prepared. */
export class PlanReader {
  readonly #connection: PostgresConnection;
  readonly #parents: ReadonlyMap<string, string>;
  readonly #values: Readonly<Record<string, string>>;

  private constructor(connection: PostgresConnection, parents: ReadonlyMap<string, string>, id: string) {
    this.#connection = connection;
    this.#parents = parents;
    this.#values = { text: `'${id}'`, 'text[]': `'{${id}}'`, 'bigint[]': "'{5}'", 'bytea[]': "'{}'", bytea: "'\\x00'" };
  }

  /** Every parameter that is a text is given `id`, every number a 5. */
  static async over(connection: PostgresConnection, id: string): Promise<PlanReader> {
    const { rows } = await connection.put({
      sql: `select part.relname as part, whole.relname as whole from pg_inherits i
        join pg_class part on part.oid = i.inhrelid join pg_class whole on whole.oid = i.inhparent`,
    });
    return new PlanReader(connection, new Map(rows.map(({ part, whole }) => [String(part), String(whole)])), id);
  }

  async read(sql: string, mode: 'force_generic_plan' | 'force_custom_plan'): Promise<Plan> {
    await this.#connection.put({ sql: `set plan_cache_mode = ${mode}` });
    await this.#connection.put({ sql: `prepare asked as ${sql}` });
    try {
      const types = await this.#connection.put({
        sql: "select unnest(parameter_types)::text as type from pg_prepared_statements where name = 'asked'",
      });
      const values = types.rows.map(({ type }) => this.#values[String(type)] ?? '5').join(', ');
      const explain = `explain (format json, costs off) execute asked${values === '' ? '' : `(${values})`}`;
      const { rows } = await this.#connection.put({ sql: explain });
      const [{ Plan: root }] = JSON.parse(String(Object.values(rows[0] ?? {})[0])) as [{ Plan: Node }];
      return this.#describe(nodesOf(root));
    } finally {
      await this.#connection.put({ sql: 'deallocate asked' });
    }
  }

  #describe(nodes: readonly Node[]): Plan {
    const found = new Map<string, Set<string>>();
    const unled: string[] = [];
    for (const node of nodes) {
      const index = node['Index Name'];
      const table = node['Relation Name'];
      if (node['Node Type'] === 'Seq Scan') unled.push(table ?? '');
      if (index === undefined) continue;
      const name = this.#parents.get(index) ?? index;
      found.set(name, (found.get(name) ?? new Set()).add(index));
      if (node['Index Cond'] === undefined) unled.push(index);
    }
    const walks = Array.from(found, ([name, parts]) => (parts.size > 1 ? `${name}*` : name));
    const sorts = nodes.filter((node) => node['Node Type'] === 'Sort').length;
    return { walks: walks.toSorted().join(' '), unled, sorts };
  }
}

function nodesOf(node: Node): readonly Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
