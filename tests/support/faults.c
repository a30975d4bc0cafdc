/* Makes one chosen system call go wrong: preloaded into a process, it stands between the program and libc.
 *
 * Every call that changes a folder or the files in it is counted and written down; the one with the chosen number fails,
 * is cut short, or is where the process is killed. `faults.py` compiles it, `fault_runner.py` arms it. A failed sync, and a
 * failed close of what was not synced, also lose the file's last byte, as a disk may: a program that goes on as if nothing
 * had happened is found out by what it wrote. Syncs themselves are not passed on to the disk, so that thousands are quick.
 *
 * It cannot see system calls that are made without libc; the strace test of test_write_faults.py looks for such.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* What happens to the chosen call. `fault_runner.py` has the same names in the same order. */
enum way {
    PASS,        /* nothing */
    FAIL,        /* it fails */
    STAY_FULL,   /* it fails, and so does every later one that needs room on the disk */
    INTERRUPT,   /* it is interrupted by a signal before it has done anything, if it is of the kind that can be */
    SHORTEN,     /* it writes only half, if it writes */
    KILL,        /* the process ends before it */
    KILL_WITHIN, /* the process ends when it has written half, if it writes */
};

/* What kind of call it is. */
enum kind { ROOM = 1, WRITES = 2, WAITS = 4 };

enum { CALLS = 4096, FILES = 64, LINE = 160 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static long chosen;
static enum way way;
static int error;

static char calls[CALLS][LINE];
static long count;
static long struck;

static struct {
    ino_t inode;
    int dirty;
} files[FILES];

/* Begins to count calls on what lies in a folder. */
void faults_arm(const char *in, long at, int how, int with)
{
    snprintf(folder, sizeof folder, "%s", in);
    chosen = at;
    way = how;
    error = with;
    count = struck = 0;
    memset(files, 0, sizeof files);
}

void faults_disarm(void) { folder[0] = 0; }

long faults_count(void) { return count; }

/* The number of the call that went wrong; 0 if none did. */
long faults_struck(void) { return struck; }

/* Call number `at`, from 1, as text: its name and its path in the folder. */
const char *faults_call(long at) { return calls[(at - 1) % CALLS]; }

/* Whether a path is the folder or lies in it. */
static int lies_in_folder(const char *path)
{
    size_t length = strlen(folder);
    return length && !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}

static int path_of(int fd, char *path)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return lies_in_folder(path);
}

/* The absolute path of what a call on (dirfd, name) means, and whether it is in the folder. */
static int path_at(int dirfd, const char *name, char *path)
{
    if (!folder[0] || !name)
        return 0;
    char base[PATH_MAX] = "";
    if (name[0] != '/') {
        if (dirfd == AT_FDCWD ? !getcwd(base, sizeof base) : (path_of(dirfd, base), !base[0]))
            return 0;
        strncat(base, "/", sizeof base - strlen(base) - 1);
    }
    snprintf(path, PATH_MAX, "%.2000s%.2000s", base, name);
    return lies_in_folder(path);
}

static int *dirt_of(int fd)
{
    struct stat state;
    if (fstat(fd, &state))
        return NULL;
    for (int i = 0; i < FILES; i++)
        if (!files[i].inode || files[i].inode == state.st_ino) {
            files[i].inode = state.st_ino;
            return &files[i].dirty;
        }
    return NULL;
}

static void set_dirty(int fd, int dirty)
{
    pthread_mutex_lock(&lock);
    int *dirt = dirt_of(fd);
    if (dirt)
        *dirt = dirty;
    pthread_mutex_unlock(&lock);
}

/* What was written and not synced does not reach the disk. */
static void lose_last_byte(int fd)
{
    static int (*real)(int, off_t);
    if (!real)
        real = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
    pthread_mutex_lock(&lock);
    int *dirt = dirt_of(fd);
    struct stat state;
    if (dirt && *dirt && !fstat(fd, &state) && state.st_size)
        real(fd, state.st_size - 1);
    pthread_mutex_unlock(&lock);
}

/* Counts a call and tells what is to happen to it. */
static enum way meet(const char *name, const char *path, int kind)
{
    pthread_mutex_lock(&lock);
    snprintf(calls[count % CALLS], LINE, "%s %.120s", name, path[strlen(folder)] ? path + strlen(folder) + 1 : ".");
    long here = ++count;
    enum way now = PASS;
    if (here == chosen || (here > chosen && chosen && way == STAY_FULL))
        now = way;
    if ((now == STAY_FULL && !(kind & ROOM)) || (now == INTERRUPT && !(kind & WAITS)) ||
        ((now == SHORTEN || now == KILL_WITHIN) && !(kind & WRITES)))
        now = PASS;
    if (now != PASS && !struck)
        struck = here;
    pthread_mutex_unlock(&lock);
    if (now == KILL)
        kill(getpid(), SIGKILL);
    return now == STAY_FULL ? FAIL : now;
}

static int refuse(enum way now)
{
    errno = now == INTERRUPT ? EINTR : error;
    return -1;
}

#define REAL(name)                                     \
    static __typeof__(&name) real;                     \
    if (!real)                                         \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* A call that is done or not. */
#define MEET(name, path, kind)              \
    enum way now = meet(name, path, kind);  \
    if (now != PASS)                        \
    return refuse(now)

static int changes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

#define OPEN(name, dirfd, parameters, arguments)                    \
    int name parameters                                             \
    {                                                               \
        REAL(name);                                                 \
        mode_t mode = 0;                                            \
        if (flags & (O_CREAT | __O_TMPFILE)) {                      \
            va_list rest;                                           \
            va_start(rest, flags);                                  \
            mode = va_arg(rest, mode_t);                            \
            va_end(rest);                                           \
        }                                                           \
        char whole[PATH_MAX];                                       \
        if (changes(flags) && path_at(dirfd, path, whole)) {        \
            MEET("open", whole, ROOM | WAITS);                      \
        }                                                           \
        return real arguments;                                      \
    }
OPEN(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, at, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPEN(openat64, at, (int at, const char *path, int flags, ...), (at, path, flags, mode))

/* `all` bytes are to be written; `shorter` does so with half of them. */
#define WRITE(name, fd, parameters, all, arguments, shorter)        \
    ssize_t name parameters                                         \
    {                                                               \
        REAL(name);                                                 \
        char whole[PATH_MAX];                                       \
        if (path_of(fd, whole)) {                                   \
            enum way now = meet("write", whole, ROOM | WRITES | WAITS); \
            if (now == FAIL || now == INTERRUPT)                    \
                return refuse(now);                                 \
            set_dirty(fd, 1);                                       \
            if (now != PASS && (all) > 1) {                         \
                size_t half = (all) / 2;                            \
                ssize_t written = real shorter;                     \
                if (now == KILL_WITHIN)                             \
                    kill(getpid(), SIGKILL);                        \
                return written;                                     \
            }                                                       \
        }                                                           \
        return real arguments;                                      \
    }
WRITE(write, fd, (int fd, const void *from, size_t n), n, (fd, from, n), (fd, from, half))
WRITE(pwrite, fd, (int fd, const void *from, size_t n, off_t at), n, (fd, from, n, at), (fd, from, half, at))
WRITE(pwrite64, fd, (int fd, const void *from, size_t n, off64_t at), n, (fd, from, n, at), (fd, from, half, at))
WRITE(sendfile, to, (int to, int from, off_t *at, size_t n), n, (to, from, at, n), (to, from, at, half))
WRITE(sendfile64, to, (int to, int from, off64_t *at, size_t n), n, (to, from, at, n), (to, from, at, half))
WRITE(copy_file_range, to, (int from, off64_t *at, int to, off64_t *into, size_t n, unsigned flags), n,
      (from, at, to, into, n, flags), (from, at, to, into, half, flags))
/* Of several buffers, the first half. */
WRITE(writev, fd, (int fd, const struct iovec *parts, int n), (size_t)n, (fd, parts, n), (fd, parts, (int)half))

static int sync_of(const char *name, int fd)
{
    char whole[PATH_MAX];
    if (path_of(fd, whole)) {
        enum way now = meet(name, whole, ROOM | WAITS);
        if (now == FAIL)
            lose_last_byte(fd);
        if (now != PASS)
            return refuse(now);
        set_dirty(fd, 0);
    }
    return 0;
}
int fsync(int fd) { return sync_of("fsync", fd); }
int fdatasync(int fd) { return sync_of("fdatasync", fd); }

int close(int fd)
{
    REAL(close);
    char whole[PATH_MAX];
    if (folder[0] && path_of(fd, whole) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) {
        enum way now = meet("close", whole, ROOM);
        if (now != PASS) {
            lose_last_byte(fd);
            real(fd);
            return refuse(now);
        }
    }
    return real(fd);
}

#define ON_FILE(name, parameters, kind, arguments)   \
    int name parameters                              \
    {                                                \
        REAL(name);                                  \
        char whole[PATH_MAX];                        \
        if (path_of(fd, whole)) {                    \
            MEET(#name, whole, kind);                \
            set_dirty(fd, 1);                        \
        }                                            \
        return real arguments;                       \
    }
ON_FILE(ftruncate, (int fd, off_t length), ROOM | WAITS, (fd, length))
ON_FILE(ftruncate64, (int fd, off64_t length), ROOM | WAITS, (fd, length))

#define ON_NAME(name, dirfd, path, parameters, kind, arguments) \
    int name parameters                                         \
    {                                                           \
        REAL(name);                                             \
        char whole[PATH_MAX];                                   \
        if (path_at(dirfd, path, whole)) {                      \
            MEET(#name, whole, kind);                           \
        }                                                       \
        return real arguments;                                  \
    }
ON_NAME(creat, AT_FDCWD, path, (const char *path, mode_t mode), ROOM, (path, mode))
ON_NAME(truncate, AT_FDCWD, path, (const char *path, off_t length), ROOM, (path, length))
ON_NAME(rename, AT_FDCWD, to, (const char *from, const char *to), ROOM, (from, to))
ON_NAME(renameat, at, to, (int of, const char *from, int at, const char *to), ROOM, (of, from, at, to))
ON_NAME(renameat2, at, to, (int of, const char *from, int at, const char *to, unsigned flags), ROOM,
        (of, from, at, to, flags))
ON_NAME(link, AT_FDCWD, to, (const char *from, const char *to), ROOM, (from, to))
ON_NAME(linkat, at, to, (int of, const char *from, int at, const char *to, int flags), ROOM, (of, from, at, to, flags))
ON_NAME(symlink, AT_FDCWD, to, (const char *from, const char *to), ROOM, (from, to))
ON_NAME(mkdir, AT_FDCWD, path, (const char *path, mode_t mode), ROOM, (path, mode))
ON_NAME(unlink, AT_FDCWD, path, (const char *path), 0, (path))
ON_NAME(unlinkat, at, path, (int at, const char *path, int flags), 0, (at, path, flags))
ON_NAME(rmdir, AT_FDCWD, path, (const char *path), 0, (path))
ON_NAME(utimensat, at, path, (int at, const char *path, const struct timespec times[2], int flags), 0,
        (at, path, times, flags))
