/*
 * federation.h - the federation as slurmdbd last told us.
 *
 * An immutable, counted snapshot: whoever holds one reads it without a lock.
 */
#ifndef FED_SIBLING_FEDERATION_H
#define FED_SIBLING_FEDERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/sibling/compat.h"

typedef struct {
	char *name;
	char *host;		/* "" while it is not registered */
	uint16_t port;		/* 0 while it is not registered */
	uint16_t rpc_version;
	uint32_t fed_id;	/* 1 to 63 */
	uint32_t state;		/* CLUSTER_FED_STATE_* and flags */
	char *features;		/* comma separated, "" for none */
} fed_member_t;

typedef struct {
	char *name;		/* NULL: we are in no federation */
	int member_cnt;
	fed_member_t *member;	/* by name */
	const fed_member_t *self; /* one of them, or NULL */
	int refs;
} federation_t;

/*
 * IN list - of slurmdb_federation_rec_t: every federation there is
 * IN cluster - ours
 * RET our federation with one reference, also if there is none
 */
extern federation_t *federation_from_dbd(compat_list_t list,
					 const char *cluster);

/*
 * RET a record for slurmdb_destroy_federation_rec(), whose members say what
 *	up() says of the connections to them
 */
extern slurmdb_federation_rec_t *federation_to_rec(
	const federation_t *fed,
	void (*up)(void *arg, const fed_member_t *member, bool *ret_send,
		   bool *ret_recv, bool *ret_synced),
	void *arg);

/* RET true if the member can be connected to */
extern bool federation_member_is_up(const fed_member_t *member);

/*
 * What our own state in the federation allows, as natives see theirs
 * (fed_mgr.c, _fed_mgr_ptr_init()): to take new jobs, and to start those that
 * are there. DRAIN takes none and finishes what it has; INACTIVE does neither.
 */
extern bool federation_takes_jobs(const federation_t *fed);
extern bool federation_starts_jobs(const federation_t *fed);

/* RET true if we are to say so once no job is left */
extern bool federation_is_draining(const federation_t *fed);

extern const fed_member_t *federation_find(const federation_t *fed,
					   const char *name);
extern const fed_member_t *federation_find_id(const federation_t *fed,
					      uint32_t fed_id);
extern bool federation_equal(const federation_t *a, const federation_t *b);

/* To and from the ledger. RET of unpack: NULL with err if it makes no sense */
extern void federation_pack(const federation_t *fed, fed_bytes_t *bytes);
extern federation_t *federation_unpack(const void *body, size_t len,
				       const char *cluster, fed_err_t *err);

extern federation_t *federation_ref(federation_t *fed);
extern void federation_unref(federation_t *fed);

#endif
