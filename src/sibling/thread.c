/*
 * thread.c - a named thread that takes no signals (see thread.h).
 */
#include "src/sibling/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

struct start {
	void *(*run)(void *);
	void *arg;
	char name[16];
};

static void *_run(void *arg)
{
	struct start start = *(struct start *) arg;

	free(arg);
	(void) prctl(PR_SET_NAME, start.name);
	return start.run(start.arg);
}

extern int thread_start(pthread_t *ret_id, const char *name,
			void *(*run)(void *), void *arg)
{
	struct start *start = malloc(sizeof(*start));
	sigset_t all, old;
	int rc;

	if (!start)
		return ENOMEM;
	start->run = run;
	start->arg = arg;
	snprintf(start->name, sizeof(start->name), "%s", name);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(ret_id, NULL, _run, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		free(start);
	return rc;
}
