/*
 * token_fuzz.c - bearer tokens. An input is either the text of a token, or,
 * behind a byte of 1, a header and claims with a NUL between them, which are
 * signed with the right key: so the claims are reached too. No text is good
 * that was not signed.
 */
#include "testsuite/fuzz/fuzz.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "src/flurm/base64.h"
#include "src/flurm/token.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define NOW 1800000000

static flurm_token_t *_create(void)
{
	char path[] = "/tmp/token_fuzz-XXXXXX";
	const flurm_token_conf_t conf = {
		.key_file = path, .cluster_id = "flurm",
	};
	int fd = mkstemp(path);
	flurm_token_t *token;

	MUST(write(fd, KEY, strlen(KEY)) == (ssize_t) strlen(KEY));
	token = flurm_token_create(&conf, NULL);
	MUST(token);
	unlink(path);
	close(fd);
	return token;
}

static char *_base64url(const void *data, size_t len)
{
	char *text = flurm_base64_encode(data, len);

	for (char *c = text; *c; c++) {
		if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
		else if (*c == '=')
			*c = '\0';
	}
	return text;
}

/* It was found good: was that right? */
static void _check_good(const char *header, size_t header_len,
			const char *claims, size_t claims_len)
{
	json_t *top = json_loadb(header, header_len, 0, NULL);
	/* libjwt reads a C string: what follows a NUL it does not see */
	json_t *json = json_loadb(claims, strnlen(claims, claims_len), 0,
				  NULL);
	const char *alg = json_string_value(json_object_get(top, "alg"));
	const char *cluster = json_string_value(json_object_get(json,
								"cluster_id"));

	MUST(alg && !strcasecmp(alg, "HS256"));
	MUST(cluster && !strcmp(cluster, "flurm"));
	MUST(json_integer_value(json_object_get(json, "exp")) >
	     NOW - FLURM_TOKEN_SKEW_S);
	json_decref(top);
	json_decref(json);
}

static void _try_signed(flurm_token_t *token, const char *data, size_t len)
{
	const char *split = memchr(data, '\0', len);
	size_t header_len = split ? (size_t) (split - data) : len;
	const char *claims = split ? split + 1 : "";
	size_t claims_len = split ? len - header_len - 1 : 0;
	char *a = _base64url(data, header_len);
	char *b = _base64url(claims, claims_len);
	size_t size = strlen(a) + strlen(b) + 100;
	char *text = malloc(size), *c;
	uint8_t digest[32];

	snprintf(text, size, "%s.%s", a, b);
	gnutls_hmac_fast(GNUTLS_MAC_SHA256, KEY, strlen(KEY), text,
			 strlen(text), digest);
	c = _base64url(digest, sizeof(digest));
	snprintf(text, size, "%s.%s.%s", a, b, c);
	if (flurm_token_verify(token, text, NOW, NULL) == 0)
		_check_good(data, header_len, claims, claims_len);
	free(a);
	free(b);
	free(c);
	free(text);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	flurm_token_t *token = _create();
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	if (len && (text[0] == 1))
		_try_signed(token, text + 1, len - 1);
	else
		MUST(flurm_token_verify(token, text, NOW, NULL) != 0);
	free(text);
	flurm_token_destroy(token);
	return 0;
}
