/* Preloaded: limits the threads that the process may still start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int allowed = -1;

/* Allows this many more threads; -1 for any number. */
void allow_threads(int count) { allowed = count; }

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
    if (allowed == 0) {
        return EAGAIN;
    }
    if (allowed > 0) {
        allowed--;
    }
    return create(thread, attributes, start, argument);
}
