/*
 * token.c - the bearer tokens of both ends (see token.h).
 *
 * libjwt checks the signature; everything that a signature does not say is
 * checked here: the algorithm, the times, the cluster. The last token that
 * was good is remembered, since a peer sends the same one for minutes.
 */
#include "src/flurm/token.h"

#include <errno.h>
#include <jwt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/key_file.h"

#define LIFETIME_S 900
#define TEXT_MAX 8192		/* no token of ours comes near it */

struct flurm_token {
	uint8_t *key;
	size_t key_len;
	char *cluster_id;
	char *subject;
	char *issuer;
	unsigned int lifetime_s;

	char *current;		/* NULL: none minted yet */
	time_t renew_at;

	char *good;		/* NULL: none verified yet */
	time_t good_until;
};

extern flurm_token_t *flurm_token_create(const flurm_token_conf_t *conf,
					 fed_err_t *err)
{
	flurm_token_t *token;

	if (!conf->cluster_id || !*conf->cluster_id) {
		fed_err_set(err, EINVAL, "token: no cluster_id");
		return NULL;
	}
	token = fed_calloc(1, sizeof(*token));
	token->cluster_id = fed_strdup(conf->cluster_id);
	token->subject = fed_strdup(conf->subject ? conf->subject :
				    "fed_flurm");
	token->issuer = fed_strdup(conf->issuer ? conf->issuer : "fed_flurm");
	token->lifetime_s = conf->lifetime_s ? conf->lifetime_s : LIFETIME_S;
	token->key = key_file_read(conf->key_file, FLURM_TOKEN_KEY_MIN,
				   FLURM_TOKEN_KEY_MAX, &token->key_len, err);
	if (token->key)
		return token;
	flurm_token_destroy(token);
	return NULL;
}

extern void flurm_token_destroy(flurm_token_t *token)
{
	if (!token)
		return;
	if (token->key)
		explicit_bzero(token->key, token->key_len);
	free(token->key);
	free(token->cluster_id);
	free(token->subject);
	free(token->issuer);
	free(token->current);
	free(token->good);
	free(token);
}

/* RET malloc'd, or NULL */
static char *_mint(const flurm_token_t *token, time_t now)
{
	jwt_t *jwt = NULL;
	char *text = NULL;

	if (jwt_new(&jwt))
		return NULL;
	if (!jwt_add_grant(jwt, "sub", token->subject) &&
	    !jwt_add_grant(jwt, "iss", token->issuer) &&
	    !jwt_add_grant(jwt, "cluster_id", token->cluster_id) &&
	    !jwt_add_grant_int(jwt, "iat", now) &&
	    !jwt_add_grant_int(jwt, "exp", now + token->lifetime_s) &&
	    !jwt_set_alg(jwt, JWT_ALG_HS256, token->key, token->key_len))
		text = jwt_encode_str(jwt);
	jwt_free(jwt);
	return text;
}

extern const char *flurm_token_current(flurm_token_t *token, time_t now,
				       fed_err_t *err)
{
	time_t thirds = 2 * (time_t) token->lifetime_s / 3;
	char *text;

	/* a clock that was set back makes it look too young: mint anew */
	if (token->current && (now < token->renew_at) &&
	    (now >= token->renew_at - thirds))
		return token->current;
	text = _mint(token, now);
	if (!text) {
		fed_err_set(err, errno, "token: cannot be made: %s",
			    strerror(errno));
		return NULL;
	}
	free(token->current);
	token->current = text;
	token->renew_at = now + thirds;
	return text;
}

/*
 * Everything but the signature.
 * OUT ret_until - when it stops to be good
 * RET 0, 401 or 403
 */
static int _check(const flurm_token_t *token, jwt_t *jwt, time_t now,
		  time_t *ret_until, fed_err_t *err)
{
	const char *cluster_id = jwt_get_grant(jwt, "cluster_id");
	long issued = jwt_get_grant_int(jwt, "iat");	/* 0: absent */
	long from = jwt_get_grant_int(jwt, "nbf");
	long expires = jwt_get_grant_int(jwt, "exp");
	int status = 401;

	if (jwt_get_alg(jwt) != JWT_ALG_HS256) {
		fed_err_set(err, EPERM, "token: not HS256");
	} else if (expires <= 0) {
		fed_err_set(err, EPERM, "token: no exp");
	} else if (now - FLURM_TOKEN_SKEW_S >= expires) {
		fed_err_set(err, EPERM, "token: expired %lld s ago",
			    (long long) now - expires);
	} else if ((issued > now + FLURM_TOKEN_SKEW_S) ||
		   (from > now + FLURM_TOKEN_SKEW_S)) {
		fed_err_set(err, EPERM, "token: from the future: do the "
			    "clocks of both hosts agree?");
	} else if (!cluster_id || strcmp(cluster_id, token->cluster_id)) {
		fed_err_set(err, EPERM, "token: not for cluster %s",
			    token->cluster_id);
		status = 403;
	} else {
		*ret_until = (expires < LONG_MAX - FLURM_TOKEN_SKEW_S) ?
			expires + FLURM_TOKEN_SKEW_S : expires;
		status = 0;
	}
	return status;
}

/* Texts of equal length, compared in a time that does not tell where. */
static bool _same(const char *a, const char *b)
{
	unsigned char differ = 0;
	size_t len = strlen(a);

	if (strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

extern int flurm_token_verify(flurm_token_t *token, const char *text,
			      time_t now, fed_err_t *err)
{
	time_t until;
	jwt_t *jwt = NULL;
	int status;

	if (!text || !*text) {
		fed_err_set(err, EPERM, "token: none");
		return 401;
	}
	if (token->good && (now < token->good_until) &&
	    _same(token->good, text))
		return 0;
	if ((strnlen(text, TEXT_MAX) == TEXT_MAX) ||
	    jwt_decode(&jwt, text, token->key, token->key_len)) {
		fed_err_set(err, EPERM,
			    "token: not one, or not signed with our key");
		return 401;
	}
	status = _check(token, jwt, now, &until, err);
	jwt_free(jwt);
	if (status)
		return status;
	free(token->good);
	token->good = fed_strdup(text);
	token->good_until = until;
	return 0;
}
