/* The libc calls that change, flush or read a file below the root. Everything else passes straight through. */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

REAL(openat)
REAL(writev)
REAL(pwritev)
REAL(readv)
REAL(preadv)
REAL(ftruncate)
REAL(fsync)
REAL(fdatasync)

#define WHOLE_POSITION ((off_t)-1)

/* --- opening ------------------------------------------------------------------------------------------------------ */

static int open_watched(int folder, const char *path, int flags, mode_t mode) {
  char relative[PATH_BYTES];
  if (!shim_watching()) return next_openat()(folder, path, flags, mode);
  if (!shim_relative(folder, path, relative)) {
    int fd = next_openat()(folder, path, flags, mode);
    if (fd >= 0) {
      shim_lock();
      shim_forget(fd);
      shim_unlock();
    }
    return fd;
  }
  shim_lock();
  struct stat before;
  int existed = fstatat(folder, path, &before, 0) == 0;
  int fault = (flags & O_CREAT) && !existed ? shim_fault("create", relative) : FAULT_NONE;
  int fd = -1;
  if (fault > 0) {
    errno = fault;
  } else {
    fd = next_openat()(folder, path, flags, mode);
  }
  if (fd >= 0) {
    shim_watch(fd, relative);
    struct watched *watched = shim_find(fd);
    if (watched != NULL && !watched->is_folder) {
      uint64_t how = (existed ? 0 : 1) | ((flags & O_TRUNC) ? 2 : 0);
      shim_record(RECORD_OPEN, watched->inode, how, relative, NULL, NULL, 0);
    }
  }
  shim_unlock();
  return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN_VARIANT(name)                                  \
  int name(const char *path, int flags, ...) {              \
    va_list arguments;                                      \
    va_start(arguments, flags);                             \
    mode_t mode = mode_of(flags, arguments);                \
    va_end(arguments);                                      \
    return open_watched(AT_FDCWD, path, flags, mode);       \
  }
#define OPENAT_VARIANT(name)                                \
  int name(int folder, const char *path, int flags, ...) {  \
    va_list arguments;                                      \
    va_start(arguments, flags);                             \
    mode_t mode = mode_of(flags, arguments);                \
    va_end(arguments);                                      \
    return open_watched(folder, path, flags, mode);         \
  }
OPEN_VARIANT(open)
OPEN_VARIANT(open64)
OPENAT_VARIANT(openat)
OPENAT_VARIANT(openat64)

/* --- writing and reading ------------------------------------------------------------------------------------------- */

/* One buffer with the first `limit` bytes: records are written whole, and a short write takes a prefix. */
static char *gather(const struct iovec *parts, int count, size_t limit) {
  char *bytes = malloc(limit == 0 ? 1 : limit);
  if (bytes == NULL) shim_abort("out of memory");
  size_t filled = 0;
  for (int at = 0; at < count && filled < limit; at++) {
    size_t taken = parts[at].iov_len < limit - filled ? parts[at].iov_len : limit - filled;
    memcpy(bytes + filled, parts[at].iov_base, taken);
    filled += taken;
  }
  return bytes;
}

static size_t size_of(const struct iovec *parts, int count) {
  size_t size = 0;
  for (int at = 0; at < count; at++) size += parts[at].iov_len;
  return size;
}

static int write_fault(int fd, const struct watched *watched, off_t offset, size_t size) {
  int fault = shim_fault("write", watched->name);
  if (fault != FAULT_NONE) return fault;
  struct stat stat;
  off_t from = offset == WHOLE_POSITION ? lseek(fd, 0, SEEK_CUR) : offset;
  if (fstat(fd, &stat) == 0 && from + (off_t)size > stat.st_size) return shim_fault("grow", watched->name);
  return FAULT_NONE;
}

static ssize_t write_watched(int fd, const struct iovec *parts, int count, off_t offset) {
  if (shim_watching()) {
    shim_lock();
    struct watched *watched = shim_find(fd);
    if (watched != NULL && !watched->is_folder) {
      size_t size = size_of(parts, count);
      int fault = write_fault(fd, watched, offset, size);
      ssize_t written = -1;
      if (fault > 0) {
        errno = fault;
      } else {
        if (fault == FAULT_SHORT && size > 1) size /= 2;
        struct iovec whole = {gather(parts, count, size), size};
        written = offset == WHOLE_POSITION ? next_writev()(fd, &whole, 1) : next_pwritev()(fd, &whole, 1, offset);
        if (written > 0) {
          off_t at = offset == WHOLE_POSITION ? lseek(fd, 0, SEEK_CUR) - written : offset;
          shim_record(RECORD_WRITE, watched->inode, (uint64_t)at, NULL, NULL, whole.iov_base, (size_t)written);
        }
        int saved = errno;
        free(whole.iov_base);
        errno = saved;
      }
      shim_unlock();
      return written;
    }
    shim_unlock();
  }
  return offset == WHOLE_POSITION ? next_writev()(fd, parts, count) : next_pwritev()(fd, parts, count, offset);
}

ssize_t write(int fd, const void *bytes, size_t size) {
  struct iovec part = {(void *)bytes, size};
  return write_watched(fd, &part, 1, WHOLE_POSITION);
}
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_watched(fd, parts, count, WHOLE_POSITION); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  struct iovec part = {(void *)bytes, size};
  return write_watched(fd, &part, 1, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) { return pwrite(fd, bytes, size, offset); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return write_watched(fd, parts, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  return write_watched(fd, parts, count, offset);
}

static int read_fault(int fd) {
  if (!shim_watching()) return FAULT_NONE;
  shim_lock();
  struct watched *watched = shim_find(fd);
  int fault = watched == NULL || watched->is_folder ? FAULT_NONE : shim_fault("read", watched->name);
  shim_unlock();
  return fault;
}

static ssize_t read_watched(int fd, const struct iovec *parts, int count, off_t offset) {
  int fault = read_fault(fd);
  if (fault > 0) {
    errno = fault;
    return -1;
  }
  struct iovec half = parts[0];
  if (fault == FAULT_SHORT) {
    half.iov_len = half.iov_len > 1 ? half.iov_len / 2 : half.iov_len;
    parts = &half;
    count = 1;
  }
  return offset == WHOLE_POSITION ? next_readv()(fd, parts, count) : next_preadv()(fd, parts, count, offset);
}

ssize_t read(int fd, void *bytes, size_t size) {
  struct iovec part = {bytes, size};
  return read_watched(fd, &part, 1, WHOLE_POSITION);
}
ssize_t readv(int fd, const struct iovec *parts, int count) { return read_watched(fd, parts, count, WHOLE_POSITION); }
ssize_t pread(int fd, void *bytes, size_t size, off_t offset) {
  struct iovec part = {bytes, size};
  return read_watched(fd, &part, 1, offset);
}
ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) { return pread(fd, bytes, size, offset); }
ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset) {
  return read_watched(fd, parts, count, offset);
}
ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t offset) {
  return read_watched(fd, parts, count, offset);
}

int ftruncate(int fd, off_t length) {
  if (!shim_watching()) return next_ftruncate()(fd, length);
  shim_lock();
  struct watched *watched = shim_find(fd);
  int fault = watched == NULL ? FAULT_NONE : shim_fault("truncate", watched->name);
  int result = -1;
  if (fault > 0) {
    errno = fault;
  } else {
    result = next_ftruncate()(fd, length);
    if (result == 0 && watched != NULL) {
      shim_record(RECORD_TRUNCATE, watched->inode, (uint64_t)length, NULL, NULL, NULL, 0);
    }
  }
  shim_unlock();
  return result;
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

/* --- flushing ------------------------------------------------------------------------------------------------------ */

static int flush_watched(int fd, int (*flush)(int)) {
  if (!shim_watching()) return flush(fd);
  shim_lock();
  struct watched *watched = shim_find(fd);
  if (watched == NULL) {
    shim_unlock();
    return flush(fd);
  }
  if (!shim_flushing()) {
    shim_unlock();
    return 0;
  }
  /* Object 0 says: a folder, found by its name. */
  uint64_t object = watched->is_folder ? 0 : watched->inode, token = shim_token();
  int fault = shim_fault("flush", watched->name);
  shim_record(RECORD_FLUSH_BEGIN, object, token, watched->is_folder ? watched->name : NULL, NULL, NULL, 0);
  shim_unlock();
  /* Not under the lock: other threads may write while a flush runs, and what they write is not covered by it. */
  int result = fault > 0 ? -1 : flush(fd);
  int why = fault > 0 ? fault : errno;
  shim_lock();
  shim_record(result == 0 ? RECORD_FLUSH_DONE : RECORD_FLUSH_FAILED, object, token, NULL, NULL, NULL, 0);
  shim_unlock();
  if (result != 0) errno = why;
  return result;
}

int fsync(int fd) { return flush_watched(fd, next_fsync()); }
int fdatasync(int fd) { return flush_watched(fd, next_fdatasync()); }
