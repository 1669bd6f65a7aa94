/*
 * token.h - the bearer tokens of both ends: HS256 JWTs with sub, iss, iat,
 * exp and cluster_id, as FLURM's own.
 *
 * One flurm_token_t holds the shared key and serves one end: a client mints,
 * a server verifies. It may be used by one thread at a time.
 */
#ifndef FED_FLURM_TOKEN_H
#define FED_FLURM_TOKEN_H

#include <time.h>

#include "src/core/err.h"

#define FLURM_TOKEN_SKEW_S 60	/* clocks may differ by this much */
#define FLURM_TOKEN_KEY_MIN 32	/* bytes: as many as HS256's digest */
#define FLURM_TOKEN_KEY_MAX 4096

typedef struct flurm_token flurm_token_t;

typedef struct {
	const char *key_file;
	const char *cluster_id;	/* minted, and the only one that is accepted */
	const char *subject;	/* minted; "fed_flurm" */
	const char *issuer;	/* minted; "fed_flurm" */
	unsigned int lifetime_s; /* minted; 900 */
} flurm_token_conf_t;

/*
 * Read the key. The file must be a regular one (not a link), owned by root or
 * us, not accessible to group or others, with FLURM_TOKEN_KEY_MIN to _MAX
 * bytes. The key is every byte of it, but if all of it is text, a newline at
 * its end does not count.
 * RET the object, or NULL: err names the file and what is wrong with it
 */
extern flurm_token_t *flurm_token_create(const flurm_token_conf_t *conf,
					 fed_err_t *err);

/* The key is overwritten. NULL is fine. */
extern void flurm_token_destroy(flurm_token_t *token);

/*
 * The token to send now: the same one until a third of its life is left.
 * RET valid until the next call, or NULL: err says why
 */
extern const char *flurm_token_current(flurm_token_t *token, time_t now,
				       fed_err_t *err);

/*
 * Is this one good? Refused are other algorithms than HS256 ("none" first of
 * all), a wrong signature, a token expired or from the future by more than
 * FLURM_TOKEN_SKEW_S, one without exp, and one for another cluster.
 * RET 0; 401: not a good token; 403: a good one, but for another cluster.
 * err never quotes the token
 */
extern int flurm_token_verify(flurm_token_t *token, const char *text,
			      time_t now, fed_err_t *err);

#endif
