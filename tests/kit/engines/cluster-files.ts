// The files that a self-healing PostgreSQL is started from: one of patroni for each node, and one of haproxy.

export interface ClusterNode {
  readonly name: string;
  readonly folder: string;
  readonly port: number;
  /** Where patroni says what the node is. */
  readonly statusPort: number;
}

export interface ClusterTimes {
  /** How long a leader that is heard no more keeps its place, in seconds. */
  readonly ttlSeconds: number;
  readonly loopSeconds: number;
  readonly retrySeconds: number;
}

/**
 * Settings of a node, for patroni. A commit is answered when it lies on two nodes, always: without a second node there
 * are no writes. A PostgreSQL that died is not waited for.
 */
export function patroniFile(node: ClusterNode, etcdPort: number, programs: string, times: ClusterTimes): string {
  const own = { username: 'postgres' };
  const parameters = {
    wal_level: 'replica',
    hot_standby: 'on',
    wal_log_hints: 'on',
    max_wal_senders: 10,
    max_replication_slots: 10,
    wal_keep_size: '128MB',
    max_connections: 100,
    shared_buffers: '64MB',
    wal_sender_timeout: '5s',
    wal_receiver_timeout: '5s',
  };
  const dcs = {
    ttl: times.ttlSeconds,
    loop_wait: times.loopSeconds,
    retry_timeout: times.retrySeconds,
    maximum_lag_on_failover: 1_048_576,
    synchronous_mode: true,
    synchronous_mode_strict: true,
    synchronous_node_count: 1,
    master_start_timeout: 0,
    postgresql: { use_pg_rewind: true, use_slots: true, parameters },
  };
  // JSON is YAML too.
  return JSON.stringify({
    scope: 'openmesh',
    namespace: '/test/',
    name: node.name,
    log: { level: 'INFO' },
    restapi: address(node.statusPort),
    etcd3: { hosts: `127.0.0.1:${etcdPort}` },
    bootstrap: {
      dcs,
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'no-sync'],
      pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust', 'local all all trust'],
    },
    postgresql: {
      ...address(node.port),
      data_dir: `${node.folder}/cluster`,
      bin_dir: programs,
      pgpass: `${node.folder}/pgpass`,
      parameters: { unix_socket_directories: node.folder },
      basebackup: [{ checkpoint: 'fast' }, 'no-sync'],
      authentication: { superuser: own, replication: own, rewind: own },
    },
  });
}

function address(port: number): object {
  return { listen: `127.0.0.1:${port}`, connect_address: `127.0.0.1:${port}` };
}

/** Leads every connection to whichever node is the leader now, and cuts those to one that is no longer. */
export function haproxyFile(nodes: readonly ClusterNode[], port: number): string {
  const servers = nodes.map((node) => `  server ${node.name} 127.0.0.1:${node.port} check port ${node.statusPort}`);
  return `global
  maxconn 1000
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  retries 2
  option redispatch
listen leader
  bind 127.0.0.1:${port}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`;
}
