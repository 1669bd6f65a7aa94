/*
 * flurm_token_test.c - src/flurm/token and key_file.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "testsuite/unit/scratch.h"

#include "src/flurm/base64.h"
#include "src/flurm/token.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define NOW 1800000000

static char *dir;
static char *key_file;

static int _make_dir(void **state)
{
	dir = scratch_make();
	assert_true(asprintf(&key_file, "%s/key", dir) > 0);
	return 0;
}

static int _remove_dir(void **state)
{
	free(key_file);
	scratch_remove(dir);
	return 0;
}

static void _write_key(const char *key, size_t len, mode_t mode)
{
	unlink(key_file);
	scratch_write(key_file, key, len);
	chmod(key_file, mode);
}

static flurm_token_t *_token(const char *cluster_id)
{
	const flurm_token_conf_t conf = {
		.key_file = key_file, .cluster_id = cluster_id,
		.lifetime_s = 900,
	};
	flurm_token_t *token;
	fed_err_t err;

	_write_key(KEY, strlen(KEY), 0600);
	token = flurm_token_create(&conf, &err);
	if (!token)
		fail_msg("%s", err.text);
	return token;
}

/* --- tokens made by hand --- */

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

/* RET a token, signed as told; mac 0: an empty signature */
static const char *_forge(const char *header, const char *claims,
			  gnutls_mac_algorithm_t mac, const char *key)
{
	static char token[2048];
	char *a = _base64url(header, strlen(header));
	char *b = _base64url(claims, strlen(claims));
	uint8_t digest[64];
	char *c;

	snprintf(token, sizeof(token), "%s.%s", a, b);
	if (mac)
		gnutls_hmac_fast(mac, key, strlen(key), token, strlen(token),
				 digest);
	c = _base64url(digest, mac ? gnutls_hmac_get_len(mac) : 0);
	strcat(token, ".");
	strcat(token, c);
	free(a);
	free(b);
	free(c);
	return token;
}

#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD "{\"sub\":\"x\",\"cluster_id\":\"flurm\",\"iat\":1800000000," \
	"\"exp\":1800000900}"

static void _verifies_ours(void **state)
{
	flurm_token_t *client = _token("flurm"), *server = _token("flurm");
	fed_err_t err;
	char *first;

	first = strdup(flurm_token_current(client, NOW, &err));
	assert_int_equal(flurm_token_verify(server, first, NOW, &err), 0);
	assert_int_equal(flurm_token_verify(server, first, NOW, &err), 0);
	/* the same one for two thirds of its life */
	assert_string_equal(flurm_token_current(client, NOW + 599, &err),
			    first);
	assert_string_not_equal(flurm_token_current(client, NOW + 601, &err),
				first);
	/* and anew when the clock was set back */
	assert_string_not_equal(flurm_token_current(client, NOW - 5000, &err),
				first);
	/* good until its end and a minute more, remembered or not */
	assert_int_equal(flurm_token_verify(server, first, NOW + 959, &err),
			 0);
	assert_int_equal(flurm_token_verify(server, first, NOW + 960, &err),
			 401);
	assert_string_equal(err.text, "token: expired 60 s ago");
	/* clocks may differ by a minute the other way too */
	assert_int_equal(flurm_token_verify(client, first, NOW - 60, &err), 0);
	free(first);
	flurm_token_destroy(client);
	flurm_token_destroy(server);
}

static void _refuses_others(void **state)
{
	static const struct {
		const char *header;
		const char *claims;
		gnutls_mac_algorithm_t mac;
		const char *key;
		int status;
	} cases[] = {
		{ HS256, GOOD, GNUTLS_MAC_SHA256, KEY, 0 },
		{ HS256, GOOD, GNUTLS_MAC_SHA256, KEY "x", 401 },
		{ HS256, GOOD, GNUTLS_MAC_SHA256, "", 401 },
		{ HS256, GOOD, 0, "", 401 },
		{ "{\"alg\":\"none\"}", GOOD, 0, "", 401 },
		{ "{\"alg\":\"None\"}", GOOD, 0, "", 401 },
		{ "{\"alg\":\"none\"}", GOOD, GNUTLS_MAC_SHA256, KEY, 401 },
		{ "{\"alg\":\"HS512\"}", GOOD, GNUTLS_MAC_SHA512, KEY, 401 },
		{ "{\"alg\":\"HS384\"}", GOOD, GNUTLS_MAC_SHA384, KEY, 401 },
		{ "{\"alg\":\"RS256\"}", GOOD, GNUTLS_MAC_SHA256, KEY, 401 },
		{ "{}", GOOD, GNUTLS_MAC_SHA256, KEY, 401 },
		{ "[]", GOOD, GNUTLS_MAC_SHA256, KEY, 401 },
		/* no exp; exp of another type; in the past */
		{ HS256, "{\"cluster_id\":\"flurm\",\"iat\":1800000000}",
		  GNUTLS_MAC_SHA256, KEY, 401 },
		{ HS256, "{\"cluster_id\":\"flurm\",\"exp\":\"1800000900\"}",
		  GNUTLS_MAC_SHA256, KEY, 401 },
		{ HS256, "{\"cluster_id\":\"flurm\",\"exp\":1799999939}",
		  GNUTLS_MAC_SHA256, KEY, 401 },
		{ HS256, "{\"cluster_id\":\"flurm\",\"exp\":-1}",
		  GNUTLS_MAC_SHA256, KEY, 401 },
		{ HS256, "{\"cluster_id\":\"flurm\","
		  "\"exp\":9223372036854775807}", GNUTLS_MAC_SHA256, KEY, 0 },
		/* from the future */
		{ HS256, "{\"cluster_id\":\"flurm\",\"exp\":1800009999,"
		  "\"iat\":1800000061}", GNUTLS_MAC_SHA256, KEY, 401 },
		{ HS256, "{\"cluster_id\":\"flurm\",\"exp\":1800009999,"
		  "\"nbf\":1800000061}", GNUTLS_MAC_SHA256, KEY, 401 },
		/* of another cluster, or of none */
		{ HS256, "{\"cluster_id\":\"flur\",\"exp\":1800000900}",
		  GNUTLS_MAC_SHA256, KEY, 403 },
		{ HS256, "{\"exp\":1800000900}", GNUTLS_MAC_SHA256, KEY, 403 },
		{ HS256, "{\"cluster_id\":7,\"exp\":1800000900}",
		  GNUTLS_MAC_SHA256, KEY, 403 },
		{ HS256, "not json", GNUTLS_MAC_SHA256, KEY, 401 },
	};
	static const char *const texts[] = {
		"", ".", "..", "...", "a.b.c", "a", "eyJhbGciOiJIUzI1NiJ9..",
		"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9",
	};
	flurm_token_t *token = _token("flurm");
	char *long_text = calloc(1, 100001);
	fed_err_t err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = _forge(cases[i].header, cases[i].claims,
					  cases[i].mac, cases[i].key);
		int status = flurm_token_verify(token, text, NOW, &err);

		if (status != cases[i].status)
			fail_msg("case %zu: %d, %s", i, status, err.text);
		/* what we tell a peer is not what he told us */
		if (status)
			assert_null(strstr(err.text, text));
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(flurm_token_verify(token, texts[i], NOW,
						    &err), 401);
	assert_int_equal(flurm_token_verify(token, NULL, NOW, &err), 401);
	memset(long_text, 'a', 100000);
	assert_int_equal(flurm_token_verify(token, long_text, NOW, &err), 401);
	free(long_text);
	flurm_token_destroy(token);
}

static void _refuses_bad_key_files(void **state)
{
	const flurm_token_conf_t conf = {
		.key_file = key_file, .cluster_id = "flurm",
	};
	flurm_token_conf_t none = conf;
	char big[FLURM_TOKEN_KEY_MAX + 2];
	char *other;
	fed_err_t err;

	unlink(key_file);
	assert_null(flurm_token_create(&conf, &err));
	assert_non_null(strstr(err.text, "No such file"));
	for (mode_t bit = 01; bit <= 0040; bit <<= 1) {
		_write_key(KEY, strlen(KEY), 0600 | bit);
		assert_null(flurm_token_create(&conf, &err));
		assert_non_null(strstr(err.text, "must be closed to group"));
	}
	_write_key(KEY, 31, 0600);
	assert_null(flurm_token_create(&conf, &err));
	assert_non_null(strstr(err.text, "this one 31"));
	_write_key(KEY "\n", 32, 0600);		/* no newline in there */
	flurm_token_destroy(flurm_token_create(&conf, NULL));
	memset(big, 'k', sizeof(big));
	_write_key(big, FLURM_TOKEN_KEY_MAX, 0400);
	flurm_token_destroy(flurm_token_create(&conf, NULL));
	_write_key(big, FLURM_TOKEN_KEY_MAX + 1, 0600);
	assert_null(flurm_token_create(&conf, &err));
	assert_non_null(strstr(err.text, "at least 4097"));

	unlink(key_file);
	assert_true(asprintf(&other, "%s/other", dir) > 0);
	scratch_write(other, KEY, strlen(KEY));
	chmod(other, 0600);
	assert_int_equal(symlink(other, key_file), 0);
	assert_null(flurm_token_create(&conf, &err));
	assert_non_null(strstr(err.text, "a symbolic link"));
	unlink(key_file);
	assert_int_equal(mkfifo(key_file, 0600), 0);
	assert_null(flurm_token_create(&conf, &err));
	assert_non_null(strstr(err.text, "not a regular file"));
	unlink(key_file);
	none.key_file = dir;
	assert_null(flurm_token_create(&none, &err));
	assert_non_null(strstr(err.text, "not a regular file"));
	if (geteuid() == 0) {
		none.key_file = other;
		assert_int_equal(chown(other, 1, 1), 0);
		assert_null(flurm_token_create(&none, &err));
		assert_non_null(strstr(err.text, "owned by uid 1"));
	}
	none = conf;
	none.cluster_id = "";
	assert_null(flurm_token_create(&none, &err));
	none.cluster_id = "x";
	none.key_file = NULL;
	assert_null(flurm_token_create(&none, &err));
	free(other);
}

/* A newline at the end counts unless it ends a line of text. */
static void _reads_text_keys(void **state)
{
	const flurm_token_conf_t conf = {
		.key_file = key_file, .cluster_id = "flurm",
	};
	flurm_token_t *plain = _token("flurm"), *line, *binary;
	const char *text;
	fed_err_t err;

	_write_key(KEY "\n", strlen(KEY) + 1, 0600);
	line = flurm_token_create(&conf, &err);
	_write_key("\x01" KEY "\n", strlen(KEY) + 2, 0600);
	binary = flurm_token_create(&conf, &err);
	text = flurm_token_current(line, NOW, &err);
	assert_int_equal(flurm_token_verify(plain, text, NOW, &err), 0);
	text = flurm_token_current(binary, NOW, &err);
	assert_int_equal(flurm_token_verify(binary, text, NOW, &err), 0);
	assert_int_equal(flurm_token_verify(binary, _forge(HS256, GOOD,
			 GNUTLS_MAC_SHA256, "\x01" KEY "\n"), NOW, &err), 0);
	assert_int_equal(flurm_token_verify(binary, _forge(HS256, GOOD,
			 GNUTLS_MAC_SHA256, "\x01" KEY), NOW, &err), 401);
	flurm_token_destroy(plain);
	flurm_token_destroy(line);
	flurm_token_destroy(binary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_verifies_ours),
		cmocka_unit_test(_refuses_others),
		cmocka_unit_test(_refuses_bad_key_files),
		cmocka_unit_test(_reads_text_keys),
	};

	return cmocka_run_group_tests(tests, _make_dir, _remove_dir);
}
