/* Delays reads of record files and images: preloaded into a process, it is slow storage.
 *
 * Each read of a file whose name ends with one of the suffixes in RECIO_SLOW_SUFFIXES, separated by ':' (".rec" without it),
 * sleeps for as many microseconds as the file RECIO_SLOW_FILE has, as text, or RECIO_SLOW_MICROS: the file may change
 * meanwhile. Reads go on side by side, as with a network file system. `slow_storage.py` compiles it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 4096 };

/* Whether an open file is slow: 0 is not known yet, 1 is no, 2 is yes. */
static volatile char slow[FILES];

static int ends_with_suffix(const char *path)
{
    const char *suffixes = getenv("RECIO_SLOW_SUFFIXES");
    size_t len = strlen(path);
    char copy[256];
    snprintf(copy, sizeof copy, "%s", suffixes ? suffixes : ".rec");
    for (char *rest = copy, *suffix; (suffix = strsep(&rest, ":"));) {
        size_t size = strlen(suffix);
        if (size && size <= len && !strcmp(path + len - size, suffix))
            return 1;
    }
    return 0;
}

static int is_slow(int fd)
{
    if (fd < 0 || fd >= FILES)
        return 0;
    if (!slow[fd]) {
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(link, path, sizeof path - 1);
        path[len < 0 ? 0 : len] = 0;
        slow[fd] = ends_with_suffix(path) ? 2 : 1;
    }
    return slow[fd] == 2;
}

static ssize_t (*real_pread64)(int, void *, size_t, off_t);

static long delay(void)
{
    const char *file = getenv("RECIO_SLOW_FILE"), *micros = getenv("RECIO_SLOW_MICROS");
    char text[32] = "";
    if (file) {
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        ssize_t len = fd < 0 ? 0 : real_pread64(fd, text, sizeof text - 1, 0);
        text[len < 0 ? 0 : len] = 0;
        if (fd >= 0)
            close(fd);
        return atol(text);
    }
    return micros ? atol(micros) : 0;
}

static void wait_for(int fd)
{
    if (!is_slow(fd))
        return;
    long micros = delay();
    struct timespec time = {micros / 1000000, micros % 1000000 * 1000};
    if (micros > 0)
        nanosleep(&time, NULL);
}

__attribute__((constructor)) static void find(void)
{
    real_pread64 = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
}

ssize_t pread64(int fd, void *bytes, size_t len, off_t at)
{
    wait_for(fd);
    return real_pread64(fd, bytes, len, at);
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at) { return pread64(fd, bytes, len, at); }

ssize_t read(int fd, void *bytes, size_t len)
{
    static ssize_t (*real)(int, void *, size_t);
    if (!real)
        real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    wait_for(fd);
    return real(fd, bytes, len);
}

/* A number may be that of another file afterwards. */
int close(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "close");
    if (fd >= 0 && fd < FILES)
        slow[fd] = 0;
    return real(fd);
}
