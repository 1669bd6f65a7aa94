/*
 * registrar_int.h - what registrar*.c share: the registrar itself.
 */
#ifndef FED_SIBLING_REGISTRAR_INT_H
#define FED_SIBLING_REGISTRAR_INT_H

#include <netinet/in.h>
#include <pthread.h>
#include <time.h>

#include "src/core/log.h"
#include "src/sibling/registrar.h"

/* how often the federation is asked for, should a push have been lost */
#define REGISTRAR_POLL_MS 30000

struct registrar {
	registrar_conf_t conf;
	pthread_t thread;
	int stop_fd;
	int wake_fd;

	pthread_mutex_t lock;	/* all below */
	bool leave;		/* at the end the connection stays open */
	bool again;		/* register anew */
	bool look;		/* ask how the federation is */
	int64_t looked_ms;
	bool announce;		/* have all members told how it is */
	bool drained;		/* say so */
	federation_t *known;	/* as slurmdbd told last, or NULL */
	bool resized;		/* tell resources */
	bool stale;		/* ask for associations */
	registrar_request_t *first, **last;
	resources_t *resources;
	bool registered;
	bool rival;		/* another controller has our cluster */
	time_t since;
	uint32_t registrations;
	char address[INET6_ADDRSTRLEN]; /* that slurmdbd sees us at */
	char error[FED_ERR_TEXT_MAX];

	/* the thread's own */
	persist_t conn;
	int retry_ms;
	int64_t refresh_at;	/* not before, in milliseconds */
	fed_log_throttle_t refresh_complaint;
	fed_log_throttle_t complaint;
	fed_log_throttle_t rival_complaint;
	bool untold;		/* resources: slurmdbd did not take them */
	fed_log_throttle_t untold_complaint;
};

/* All below: the registrar's thread, or nobody else any more. */

/* RET true if Address says another than slurmdbd sees by itself */
extern bool registrar_has_own_address(registrar_t *registrar);

/*
 * Say and ask what is due.
 * IN poll_now - also how the federation is
 * RET 0, or -1 with err: the connection is of no more use
 */
extern int registrar_serve(registrar_t *registrar, bool poll_now,
			   fed_err_t *err);

/* RET the first request, taken out, or NULL */
extern registrar_request_t *registrar_next_request(registrar_t *registrar);

#endif
