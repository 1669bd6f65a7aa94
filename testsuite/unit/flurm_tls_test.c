/*
 * flurm_tls_test.c - client and server of src/flurm with TLS between them.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>

#include "testsuite/unit/http.h"
#include "testsuite/unit/scratch.h"

#include "src/flurm/client.h"
#include "src/flurm/server.h"

static char *dir;

/* --- certificates, made for this run --- */

typedef struct {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
} cert_t;

static const char *_path(const char *name)
{
	static char paths[8][512];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void _write_pem(const char *name, const char *suffix, gnutls_datum_t pem,
		       mode_t mode)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.%s", name, suffix);
	scratch_write(_path(file), pem.data, pem.size);
	chmod(_path(file), mode);
	gnutls_free(pem.data);
}

/* NAME.crt and NAME.key. IN issuer - NULL: itself */
static cert_t _make_cert(const char *name, const cert_t *issuer, bool is_ca,
			 time_t expires)
{
	static const uint8_t loopback[] = { 127, 0, 0, 1 };
	cert_t cert;
	uint8_t serial[4];
	gnutls_datum_t pem;
	uint32_t number = time(NULL) ^ (name[0] << 8) ^ name[1];

	memcpy(serial, &number, sizeof(serial));
	serial[0] &= 0x7f;
	gnutls_x509_privkey_init(&cert.key);
	gnutls_x509_privkey_generate(cert.key, GNUTLS_PK_ECDSA,
				     GNUTLS_CURVE_TO_BITS(
					     GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&cert.crt);
	gnutls_x509_crt_set_version(cert.crt, 3);
	gnutls_x509_crt_set_serial(cert.crt, serial, sizeof(serial));
	gnutls_x509_crt_set_activation_time(cert.crt, time(NULL) - 7200);
	gnutls_x509_crt_set_expiration_time(cert.crt, expires);
	gnutls_x509_crt_set_dn_by_oid(cert.crt, GNUTLS_OID_X520_COMMON_NAME,
				      0, name, strlen(name));
	gnutls_x509_crt_set_subject_alt_name(cert.crt, GNUTLS_SAN_IPADDRESS,
					     loopback, sizeof(loopback),
					     GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_ca_status(cert.crt, is_ca);
	gnutls_x509_crt_set_key_usage(cert.crt, is_ca ?
				      GNUTLS_KEY_KEY_CERT_SIGN :
				      GNUTLS_KEY_DIGITAL_SIGNATURE);
	gnutls_x509_crt_set_key(cert.crt, cert.key);
	assert_int_equal(gnutls_x509_crt_sign2(
		cert.crt, issuer ? issuer->crt : cert.crt,
		issuer ? issuer->key : cert.key, GNUTLS_DIG_SHA256, 0), 0);
	gnutls_x509_crt_export2(cert.crt, GNUTLS_X509_FMT_PEM, &pem);
	_write_pem(name, "crt", pem, 0644);
	gnutls_x509_privkey_export2(cert.key, GNUTLS_X509_FMT_PEM, &pem);
	_write_pem(name, "key", pem, 0600);
	return cert;
}

static void _free_cert(cert_t cert)
{
	gnutls_x509_crt_deinit(cert.crt);
	gnutls_x509_privkey_deinit(cert.key);
}

static int _make_all(void **state)
{
	time_t later = time(NULL) + 3600;
	cert_t ca, other;

	dir = scratch_make();
	ca = _make_cert("ca", NULL, true, later);
	other = _make_cert("other", NULL, true, later);
	_free_cert(_make_cert("server", &ca, false, later));
	_free_cert(_make_cert("old", &ca, false, time(NULL) - 3600));
	_free_cert(_make_cert("client", &ca, false, later));
	_free_cert(_make_cert("stranger", &other, false, later));
	_free_cert(ca);
	_free_cert(other);
	return 0;
}

static int _remove_all(void **state)
{
	scratch_remove(dir);
	return 0;
}

/* --- a server, a client, one question --- */

static void _health(flurm_request_t *request, void *arg)
{
	flurm_request_reply_json(request, 200,
				 json_pack("{s:s}", "status", "ok"));
}

static void _stream(flurm_request_t *request, void *arg)
{
	static const flurm_stream_conf_t conf = {
		.type = "application/x-ndjson",
		.heartbeat = "{\"type\":\"heartbeat\"}\n", .heartbeat_ms = 20,
	};

	*(flurm_stream_t **) arg = flurm_request_stream(request, &conf);
}

static const flurm_route_t routes[] = {
	FLURM_ROUTE("GET", "/api/v1/health", _health),
	FLURM_ROUTE("GET", "/api/v1/federation/events", _stream),
	{ .method = NULL },
};

static flurm_server_t *server;
static flurm_stream_t *stream;
static char url[64];

static void _serve(const char *cert, const char *key, const char *client_ca)
{
	flurm_server_conf_t conf = {
		.name = "test", .routes = routes, .tls_cert = cert,
		.tls_key = key, .tls_client_ca = client_ca, .arg = &stream,
	};
	fed_err_t err;

	server = flurm_server_start(&conf, &err);
	if (!server)
		fail_msg("%s", err.text);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u",
		 flurm_server_port(server));
}

static void _stop(void)
{
	flurm_server_stop(server);
	server = NULL;
}

static bool answered;
static flurm_outcome_t outcome;
static fed_err_t reason;

static void _done(void *arg, flurm_outcome_t how, const flurm_health_t *health,
		  const fed_err_t *err)
{
	answered = true;
	outcome = how;
	reason.text[0] = '\0';
	if (err)
		reason = *err;
}

static int beats;

static void _up(void *arg)
{
	beats++;
}

/* RET true if it was answered */
static bool _ask(const flurm_client_conf_t *conf)
{
	flurm_loop_t *loop = flurm_loop_create(NULL);
	flurm_client_t *client;
	fed_err_t err;

	client = flurm_client_create(loop, conf, &err);
	if (!client)
		fail_msg("%s", err.text);
	answered = false;
	flurm_client_health(client, 0, _done, NULL);
	for (int i = 0; !answered && (i < 1000); i++)
		flurm_loop_turn(loop, 20, NULL);
	assert_true(answered);
	if (outcome == FLURM_ANSWERED) {
		const flurm_events_ops_t ops = { .up = _up };

		beats = 0;
		flurm_client_events_start(client, 0, NULL, &ops, NULL);
		for (int i = 0; !beats && (i < 1000); i++)
			flurm_loop_turn(loop, 20, NULL);
		assert_int_equal(beats, 1);
	}
	flurm_client_destroy(client);
	flurm_loop_destroy(loop);
	return outcome == FLURM_ANSWERED;
}

/* --- tests --- */

static void _knows_the_server(void **state)
{
	flurm_client_conf_t conf = { .url = url, .ca_file = _path("ca.crt") };
	int fd;

	_serve(_path("server.crt"), _path("server.key"), NULL);
	assert_true(_ask(&conf));
	flurm_stream_close(stream);

	conf.ca_file = _path("other.crt");
	assert_false(_ask(&conf));
	assert_non_null(strstr(reason.text, "certificate"));
	conf.ca_file = NULL;
	assert_false(_ask(&conf));
	conf.ca_file = _path("nowhere.crt");
	assert_false(_ask(&conf));
	assert_non_null(strstr(reason.text, "nowhere.crt"));

	/* one who speaks plainly gets nothing */
	fd = http_connect(flurm_server_port(server));
	http_say(fd, "GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_not_equal(http_read(fd)->status, 200);
	close(fd);
	_stop();

	_serve(_path("old.crt"), _path("old.key"), NULL);
	conf.ca_file = _path("ca.crt");
	assert_false(_ask(&conf));
	assert_non_null(strstr(reason.text, "expired"));
	_stop();
}

static void _knows_the_client(void **state)
{
	flurm_client_conf_t conf = { .url = url, .ca_file = _path("ca.crt") };

	_serve(_path("server.crt"), _path("server.key"), _path("ca.crt"));
	assert_false(_ask(&conf));
	assert_non_null(strstr(reason.text,
			       "a client certificate is required"));
	conf.cert_file = _path("client.crt");
	conf.key_file = _path("client.key");
	assert_true(_ask(&conf));
	flurm_stream_close(stream);
	conf.cert_file = _path("stranger.crt");
	conf.key_file = _path("stranger.key");
	assert_false(_ask(&conf));
	_stop();
}

static void _server_errors(void **state)
{
	flurm_server_conf_t conf = {
		.name = "test", .routes = routes,
		.tls_cert = _path("server.crt"), .tls_key = _path("client.key"),
	};
	fed_err_t err;

	assert_null(flurm_server_start(&conf, &err));
	assert_non_null(strstr(err.text, "are certificate and key a pair?"));
	conf.tls_key = _path("server.key");
	chmod(conf.tls_key, 0644);
	assert_null(flurm_server_start(&conf, &err));
	assert_non_null(strstr(err.text, "that others may read"));
	chmod(conf.tls_key, 0640);
	flurm_server_stop(flurm_server_start(&conf, &err));
	conf.tls_client_ca = dir;
	assert_null(flurm_server_start(&conf, &err));
	assert_non_null(strstr(err.text, "not a PEM file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_knows_the_server),
		cmocka_unit_test(_knows_the_client),
		cmocka_unit_test(_server_errors),
	};

	return cmocka_run_group_tests(tests, _make_all, _remove_all);
}
