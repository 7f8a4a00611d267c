/*
 * Faults on demand. FLUSH_SHIM_FAULTS names a file of lines
 *
 *     OPERATION WHAT SKIP COUNT GLOB
 *
 * OPERATION: write, grow (a write past the end), read, flush, create, truncate, rename, unlink, mkdir, or space.
 * WHAT: EIO, ENOSPC, EDQUOT, EROFS, EMFILE, SHORT (half of the bytes), or for space the number of bytes left.
 * SKIP calls pass first, then COUNT fail (0: every one). GLOB is matched against the name relative to the root.
 * The file is read again whenever it is replaced, so that a test switches faults on and off while the process runs.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES_MAX 32

struct rule {
  char operation[16];
  char what[24];
  unsigned long skip;
  unsigned long count;
  int endless;
  char glob[256];
};

static struct rule rules[RULES_MAX];
static int rules_count;
static ino_t rules_inode;
static struct timespec rules_time;

static void read_rules(const char *path) {
  rules_count = 0;
  FILE *file = fopen(path, "re");
  if (file == NULL) return;
  char line[512];
  while (fgets(line, sizeof line, file) != NULL) {
    struct rule rule;
    if (line[0] == '\n') continue;
    if (rules_count == RULES_MAX) shim_abort("too many fault rules");
    if (sscanf(line, "%15s %23s %lu %lu %255s", rule.operation, rule.what, &rule.skip, &rule.count, rule.glob) != 5) {
      shim_abort("a fault rule is not OPERATION WHAT SKIP COUNT GLOB");
    }
    rule.endless = rule.count == 0;
    rules[rules_count++] = rule;
  }
  fclose(file);
}

static void refresh(void) {
  static const char *path;
  static int looked;
  if (!looked) {
    path = getenv("FLUSH_SHIM_FAULTS");
    looked = 1;
  }
  if (path == NULL) return;
  int saved = errno;
  struct stat stat_now;
  if (stat(path, &stat_now) != 0) {
    rules_count = 0;
    rules_inode = 0;
  } else if (stat_now.st_ino != rules_inode || stat_now.st_mtim.tv_nsec != rules_time.tv_nsec ||
             stat_now.st_mtim.tv_sec != rules_time.tv_sec) {
    rules_inode = stat_now.st_ino;
    rules_time = stat_now.st_mtim;
    read_rules(path);
  }
  errno = saved;
}

static int errno_named(const char *what) {
  static const struct { const char *name; int number; } names[] = {
      {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"EMFILE", EMFILE}, {"SHORT", FAULT_SHORT}};
  for (size_t at = 0; at < sizeof names / sizeof names[0]; at++) {
    if (strcmp(what, names[at].name) == 0) return names[at].number;
  }
  shim_abort("a fault rule names an unknown fault");
}

static struct rule *matching(const char *operation, const char *relative) {
  for (int at = 0; at < rules_count; at++) {
    if (strcmp(rules[at].operation, operation) == 0 && fnmatch(rules[at].glob, relative, 0) == 0) return &rules[at];
  }
  return NULL;
}

int shim_fault(const char *operation, const char *relative) {
  refresh();
  struct rule *rule = matching(operation, relative);
  if (rule == NULL) return FAULT_NONE;
  if (rule->skip > 0) {
    rule->skip--;
    return FAULT_NONE;
  }
  if (!rule->endless) {
    if (rule->count == 0) return FAULT_NONE;
    rule->count--;
  }
  return errno_named(rule->what);
}

int shim_space(const char *relative, uint64_t *free_bytes) {
  refresh();
  struct rule *rule = matching("space", relative);
  if (rule == NULL) return 0;
  *free_bytes = strtoull(rule->what, NULL, 10);
  return 1;
}
