/*
 * flurm_server_test.c - the HTTP server of src/flurm, from outside.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "testsuite/unit/http.h"
#include "testsuite/unit/scratch.h"

#include "src/core/log.h"
#include "src/flurm/model.h"
#include "src/flurm/server.h"

#define MAX_BODY 100000

/* --- the server under test --- */

static flurm_server_t *server;
static uint16_t port;

static flurm_request_t *kept[256];	/* requests for the other thread */
static int kept_count;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t kept_some;

static flurm_stream_t *stream;
static flurm_stream_conf_t stream_conf;
static sem_t stream_opened, stream_gone;
static atomic_bool drained;

static void _echo(flurm_request_t *request, void *arg)
{
	const char *id = flurm_request_param(request, "id");
	const char *query = flurm_request_query(request, "q");
	const char *colour = flurm_request_header(request, "x-colour");
	size_t len;
	const char *body = flurm_request_body(request, &len);

	flurm_request_reply_json(request, 200, json_pack(
		"{s:s s:s* s:s* s:s* s:s% s:b s:s}", "method",
		flurm_request_method(request), "id", id, "q", query, "colour",
		colour, "body", body, len, "trusted",
		flurm_request_trusted(request), "path",
		flurm_request_path(request)));
}

static void _length(flurm_request_t *request, void *arg)
{
	size_t len;

	flurm_request_body(request, &len);
	flurm_request_reply_json(request, 200,
				 json_pack("{s:i}", "len", (int) len));
}

static void _keep(flurm_request_t *request, void *arg)
{
	pthread_mutex_lock(&kept_lock);
	kept[kept_count++] = request;
	pthread_mutex_unlock(&kept_lock);
	sem_post(&kept_some);
}

static void _cancel(flurm_request_t *request, void *arg)
{
	flurm_result_t result;
	flurm_op_t op;
	fed_err_t err;

	flurm_result_init(&result);
	if (flurm_request_op(request, FLURM_OP_CANCEL, &op, &err) < 0) {
		flurm_result_set(&result, 400, NULL, "%s", err.text);
	} else if (op.fed_job_id == 99) {
		flurm_result_set(&result, 429, NULL, "not now");
		result.retry_after = 7;
	} else {
		result.status = 200;
		result.fed_job_id = op.fed_job_id;
		result.epoch = op.epoch;
		result.state = FLURM_CANCELLED;
	}
	flurm_request_reply_result(request, &result);
	flurm_result_free(&result);
	flurm_op_free(&op);
}

static void _update(flurm_request_t *request, void *arg)
{
	flurm_op_t op;
	fed_err_t err;

	if (flurm_request_op(request, FLURM_OP_UPDATE, &op, &err) < 0) {
		flurm_request_error(request, 400, NULL, "%s", err.text);
		return;
	}
	flurm_request_reply_json(request, 200, flurm_op_to_json(&op));
	flurm_op_free(&op);
}

static void _gone(void *arg)
{
	sem_post(&stream_gone);
}

static void _drained(void *arg)
{
	atomic_store(&drained, true);
}

static void _stream(flurm_request_t *request, void *arg)
{
	stream = flurm_request_stream(request, &stream_conf);
	sem_post(&stream_opened);
}

static int _authorize(const char *bearer, void *arg, fed_err_t *err)
{
	if (!bearer) {
		fed_err_set(err, 0, "a token is needed");
		return 401;
	}
	if (!strcmp(bearer, "other")) {
		fed_err_set(err, 0, "a token for another cluster");
		return 403;
	}
	if (strcmp(bearer, "good")) {
		fed_err_set(err, 0, "not a token of ours");
		return 401;
	}
	return 0;
}

static const flurm_route_t routes[] = {
	FLURM_ROUTE("GET", "/public", _echo, .public = true),
	FLURM_ROUTE("GET", "/jobs", _echo),
	FLURM_ROUTE("POST", "/jobs", _echo),
	FLURM_ROUTE("POST", "/length", _length),
	FLURM_ROUTE("POST", "/tiny", _length, .max_body = 10),
	FLURM_ROUTE("GET", "/jobs/{id}", _echo),
	FLURM_ROUTE("DELETE", "/jobs/{id}", _cancel),
	FLURM_ROUTE("PATCH", "/jobs/{id}", _update, .max_body = 1 << 20),
	FLURM_ROUTE("POST", "/jobs/{id}/start", _echo),
	FLURM_ROUTE("GET", "/later", _keep),
	FLURM_ROUTE("GET", "/stream", _stream, .public = true),
	{ .method = NULL },
};

static void _start(const flurm_server_conf_t *more)
{
	flurm_server_conf_t conf = more ? *more : (flurm_server_conf_t) { 0 };
	fed_err_t err;

	conf.name = "test";
	conf.routes = routes;
	conf.max_body = MAX_BODY;
	server = flurm_server_start(&conf, &err);
	if (!server)
		fail_msg("%s", err.text);
	port = flurm_server_port(server);
}

static int _stop(void **state)
{
	flurm_server_stop(server);
	server = NULL;
	return 0;
}

static int _start_plain(void **state)
{
	_start(NULL);
	return 0;
}

static int _start_guarded(void **state)
{
	flurm_server_conf_t conf = { .authorize = _authorize };

	_start(&conf);
	return 0;
}

/* RET the error code of a reply's body */
static const char *_error(http_reply_t *reply)
{
	static char code[64];
	json_t *json = json_loadb(reply->body, reply->body_len, 0, NULL);

	assert_non_null(json);
	assert_non_null(json_object_get(json, "reason"));
	snprintf(code, sizeof(code), "%s", json_string_value(
		json_object_get(json, "error")));
	json_decref(json);
	return code;
}

static json_t *_json(http_reply_t *reply)
{
	json_t *json = json_loadb(reply->body, reply->body_len, 0, NULL);

	assert_non_null(json);
	return json;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- routes --- */

static void _finds_routes(void **state)
{
	json_t *json = _json(http_once(port,
		"GET /jobs/a%20b?q=1%2b2&z HTTP/1.1\r\nHost: x\r\n"
		"X-Colour: red\r\n\r\n"));

	assert_string_equal(json_string_value(json_object_get(json, "id")),
			    "a b");
	assert_string_equal(json_string_value(json_object_get(json, "q")),
			    "1+2");
	assert_string_equal(json_string_value(json_object_get(json, "colour")),
			    "red");
	assert_true(json_is_true(json_object_get(json, "trusted")));
	json_decref(json);

	json = _json(http_once(port,
		"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
		"abc"));
	assert_string_equal(json_string_value(json_object_get(json, "method")),
			    "POST");
	assert_string_equal(json_string_value(json_object_get(json, "body")),
			    "abc");
	json_decref(json);
}

static void _refuses_other_routes(void **state)
{
	static const char *const none[] = {
		"/", "/job", "/jobs/", "/jobs//start", "/jobs/1/start/",
		"/jobs/1/stop", "/jobss", "//jobs", "/jobs/1/2/start",
	};
	char text[256];
	http_reply_t *reply;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		snprintf(text, sizeof(text), GET("%s"), none[i]);
		reply = http_once(port, text);
		assert_int_equal(reply->status, 404);
		assert_string_equal(_error(reply), "no_such_route");
	}
	reply = http_once(port, "PUT /jobs HTTP/1.1\r\nHost: x\r\n"
			  "Content-Length: 2\r\n\r\nab");
	assert_int_equal(reply->status, 405);
	assert_string_equal(_error(reply), "method_not_allowed");
	assert_string_equal(http_header(reply, "Allow"), "GET, POST");
}

static void _keeps_connections(void **state)
{
	int fd = http_connect(port);

	/* also after an error, and when requests come before answers went */
	for (int i = 0; i < 3; i++) {
		http_say(fd, "PUT /jobs HTTP/1.1\r\nHost: x\r\n"
			 "Content-Length: 2\r\n\r\nab" GET("/jobs"));
		assert_int_equal(http_read(fd)->status, 405);
		assert_int_equal(http_read(fd)->status, 200);
	}
	close(fd);
}

/* --- who may --- */

static void _wants_a_token(void **state)
{
	http_reply_t *reply;
	json_t *json;

	reply = http_once(port, GET("/jobs"));
	assert_int_equal(reply->status, 401);
	assert_string_equal(_error(reply), "unauthorized");
	assert_string_equal(http_header(reply, "WWW-Authenticate"), "Bearer");
	reply = http_once(port, "GET /jobs HTTP/1.1\r\nHost: x\r\n"
			  "Authorization: Basic good\r\n\r\n");
	assert_int_equal(reply->status, 401);
	reply = http_once(port, "GET /jobs HTTP/1.1\r\nHost: x\r\n"
			  "Authorization: Bearer goodd\r\n\r\n");
	assert_int_equal(reply->status, 401);
	reply = http_once(port, "GET /jobs HTTP/1.1\r\nHost: x\r\n"
			  "Authorization: Bearer other\r\n\r\n");
	assert_int_equal(reply->status, 403);
	reply = http_once(port, "GET /jobs HTTP/1.1\r\nHost: x\r\n"
			  "authorization: bearer  good\r\n\r\n");
	assert_int_equal(reply->status, 200);

	/* a public route answers all, and knows whom it trusts */
	json = _json(http_once(port, GET("/public")));
	assert_true(json_is_false(json_object_get(json, "trusted")));
	json_decref(json);
	json = _json(http_once(port, "GET /public HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer bad\r\n\r\n"));
	assert_true(json_is_false(json_object_get(json, "trusted")));
	json_decref(json);
	json = _json(http_once(port, "GET /public HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer good\r\n\r\n"));
	assert_true(json_is_true(json_object_get(json, "trusted")));
	json_decref(json);
}

static void _answers_the_stranger_before_his_body(void **state)
{
	http_reply_t *reply;

	reply = http_once(port, "POST /jobs HTTP/1.1\r\nHost: x\r\n"
			  "Content-Length: 90000000\r\n\r\n");
	assert_int_equal(reply->status, 401);
}

/* --- limits --- */

static void _limits_bodies(void **state)
{
	char *body = calloc(1, MAX_BODY + 2);
	http_reply_t *reply;
	char text[256];
	int fd;

	memset(body, 'x', MAX_BODY + 1);
	for (int over = 0; over < 2; over++) {
		fd = http_connect(port);
		snprintf(text, sizeof(text), "POST /length HTTP/1.1\r\n"
			 "Host: x\r\nContent-Length: %d\r\n\r\n",
			 MAX_BODY + over);
		http_say(fd, text);
		http_send(fd, body, MAX_BODY + over);
		reply = http_read(fd);
		assert_int_equal(reply->status, over ? 413 : 200);
		if (over)
			assert_string_equal(_error(reply), "too_large");
		http_say(fd, GET("/jobs"));
		assert_int_equal(http_read(fd)->status, 200);
		close(fd);

		fd = http_connect(port);
		http_say(fd, "POST /length HTTP/1.1\r\nHost: x\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n");
		snprintf(text, sizeof(text), "%x\r\n", MAX_BODY + over);
		http_say(fd, text);
		http_send(fd, body, MAX_BODY + over);
		http_say(fd, "\r\n0\r\n\r\n");
		assert_int_equal(http_read(fd)->status, over ? 413 : 200);
		close(fd);
	}
	free(body);
	assert_int_equal(http_once(port, "POST /tiny HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 10\r\n\r\n0123456789")
			 ->status, 200);
	assert_int_equal(http_once(port, "POST /tiny HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 11\r\n\r\n0123456789a")
			 ->status, 413);
}

static void _ends_bodies_without_end(void **state)
{
	static char block[65536 + 16];
	int fd = http_connect(port);
	size_t sent = 0;

	memset(block, 'x', sizeof(block));
	memcpy(block, "10000\r\n", 7);
	memcpy(block + 7 + 65536, "\r\n", 2);
	http_say(fd, "POST /length HTTP/1.1\r\nHost: x\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n");
	while ((sent < 100 << 20) && http_send(fd, block, 7 + 65536 + 2))
		sent += 65536;
	assert_true(sent < 100 << 20);
	close(fd);

	/* said beforehand: answered at once, whatever comes */
	fd = http_connect(port);
	http_say(fd, "POST /length HTTP/1.1\r\nHost: x\r\n"
		 "Content-Length: 104857600\r\n\r\n");
	assert_int_equal(http_read(fd)->status, 413);
	assert_true(http_closed(fd));
	close(fd);
}

static void _limits_headers(void **state)
{
	int fd = http_connect(port);
	char line[64];
	http_reply_t *reply;

	http_say(fd, "GET /jobs HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), "X-%d: %d\r\n", i, i);
		if (!http_say(fd, line))
			break;
	}
	http_say(fd, "\r\n");
	reply = http_read(fd);
	/* it may hang up on us while we still talk */
	assert_true(!reply->status || (reply->status / 100 == 4));
	close(fd);

	fd = http_connect(port);
	http_say(fd, "GET /");
	for (int i = 0; i < 10000; i++)
		if (!http_say(fd, "abcdefghijklmnop"))
			break;
	http_say(fd, " HTTP/1.1\r\n\r\n");
	reply = http_read(fd);
	assert_true(!reply->status || (reply->status / 100 == 4));
	close(fd);
	assert_int_equal(http_once(port, GET("/jobs"))->status, 200);
}

static void _refuses_unclear_framing(void **state)
{
	static const char *const unclear[] = {
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
		"Content-Length: 3\r\nContent-Length: 3\r\n",
		"Content-Length: 3\r\nContent-Length: 30\r\n",
		"Transfer-Encoding: xchunked\r\n",
		"Transfer-Encoding: identity\r\n",
		"Transfer-Encoding: chunked, identity\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Content-Length: -3\r\n",
		"Content-Length: 3x\r\n",
		"Content-Length: 99999999999999999999999\r\n",
		"Content-Length : 3\r\n",
		" Content-Length: 3\r\n",
	};
	char text[512];

	for (size_t i = 0; i < sizeof(unclear) / sizeof(unclear[0]); i++) {
		int fd = http_connect(port);
		http_reply_t *reply;

		/* what follows must never count as a request of its own */
		snprintf(text, sizeof(text), "POST /length HTTP/1.1\r\n"
			 "Host: x\r\n%s\r\n0\r\n\r\n" GET("/jobs"), unclear[i]);
		http_say(fd, text);
		reply = http_read(fd);
		if (reply->status && (reply->status / 100 != 4))
			fail_msg("%s: %d", unclear[i], reply->status);
		assert_true(http_closed(fd));
		close(fd);
	}
}

static void _refuses_broken_http(void **state)
{
	static const char *const broken[] = {
		"\r\n\r\n\r\n", "HELLO\r\n\r\n", "GET\r\n\r\n",
		"GET /jobs HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00",
		"GET /jobs HTTP/1.1\r\nno colon\r\n\r\n",
	};
	flurm_server_conf_t conf = { .receive_s = 1 };

	_start(&conf);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		int fd = http_connect(port);
		http_reply_t *reply;

		http_say(fd, broken[i]);
		shutdown(fd, SHUT_WR);
		reply = http_read(fd);
		assert_int_not_equal(reply->status / 100, 2);
		close(fd);
	}
	assert_int_equal(http_once(port, GET("/jobs"))->status, 200);
	_stop(NULL);
}

static void _cuts_slow_connections(void **state)
{
	flurm_server_conf_t conf = {
		.receive_s = 1, .idle_s = 1,
		.max_connections = 250, .max_connections_per_address = 250,
	};
	flurm_server_stats_t stats;
	int fds[200];

	_start(&conf);
	for (int i = 0; i < 200; i++) {
		fds[i] = http_connect(port);
		http_say(fds[i], (i % 2) ? "POST /length HTTP/1.1\r\nHost: x"
			 "\r\nContent-Length: 1000\r\n\r\nabc" :
			 "GET /jobs HTTP/1.1\r\n");
	}
	/* others are served meanwhile */
	assert_int_equal(http_once(port, GET("/jobs"))->status, 200);
	for (int i = 0; i < 25; i++) {
		usleep(100000);
		for (int j = 0; j < 200; j++)
			http_say(fds[j], (j % 2) ? "x" : "X-A: b\r\n");
	}
	flurm_server_stats(server, &stats);
	assert_int_equal(stats.connections, 0);
	assert_true(stats.timed_out >= 100);
	for (int i = 0; i < 200; i++) {
		assert_true(http_closed(fds[i]));
		close(fds[i]);
	}
	assert_int_equal(http_once(port, GET("/jobs"))->status, 200);
	_stop(NULL);
}

static void _waits_when_full(void **state)
{
	flurm_server_conf_t conf = {
		.max_connections = 3, .max_connections_per_address = 3
	};
	int fds[3], late;

	_start(&conf);
	for (int i = 0; i < 3; i++) {
		fds[i] = http_connect(port);
		http_say(fds[i], GET("/jobs"));
		assert_int_equal(http_read(fds[i])->status, 200);
	}
	/* in the backlog until one of them goes */
	late = http_connect(port);
	http_say(late, GET("/jobs"));
	usleep(200000);
	close(fds[0]);
	assert_int_equal(http_read(late)->status, 200);
	close(late);
	close(fds[1]);
	close(fds[2]);
	_stop(NULL);
}

/* --- ops --- */

static void _reads_ops(void **state)
{
	http_reply_t *reply;
	json_t *json;

	json = _json(http_once(port, "DELETE /jobs/7?epoch=3 HTTP/1.1\r\n"
			       "Host: x\r\n\r\n"));
	assert_int_equal(json_integer_value(json_object_get(json, "epoch")), 3);
	assert_string_equal(json_string_value(json_object_get(json, "state")),
			    "cancelled");
	json_decref(json);

	reply = http_once(port, "DELETE /jobs/7 HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(reply->status, 400);
	assert_non_null(strstr(reply->body, "epoch: missing"));
	reply = http_once(port, "DELETE /jobs/7x?epoch=1 HTTP/1.1\r\n"
			  "Host: x\r\n\r\n");
	assert_non_null(strstr(reply->body, "id: not a number"));
	reply = http_once(port, "DELETE /jobs/99999999999999999999?epoch=1 "
			  "HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(reply->body, "id: not a number"));
	reply = http_once(port, "DELETE /jobs/99?epoch=1 HTTP/1.1\r\n"
			  "Host: x\r\n\r\n");
	assert_int_equal(reply->status, 429);
	assert_string_equal(http_header(reply, "Retry-After"), "7");

	json = _json(http_once(port, "PATCH /jobs/7 HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 20\r\n\r\n"
			       "{\"epoch\":1,\"nice\":3}"));
	assert_string_equal(json_string_value(json_object_get(json, "op")),
			    "update");
	assert_int_equal(json_integer_value(json_object_get(json, "nice")), 3);
	json_decref(json);
	reply = http_once(port, "PATCH /jobs/7 HTTP/1.1\r\nHost: x\r\n"
			  "Content-Length: 26\r\n\r\n"
			  "{\"fed_job_id\":8,\"epoch\":1}");
	assert_non_null(strstr(reply->body, "fed_job_id: not the 7 of the"));
	reply = http_once(port, "PATCH /jobs/7 HTTP/1.1\r\nHost: x\r\n"
			  "Content-Length: 23\r\n\r\n"
			  "{\"epoch\":1,\"epoch\":2   ");
	assert_int_equal(reply->status, 400);
	assert_non_null(strstr(reply->body, "duplicate object key"));
}

/* Small on the wire, large in memory. */
static void _limits_values(void **state)
{
	char head[128];
	size_t len = 700000;
	char *body = malloc(len + 1);
	http_reply_t *reply;
	int fd = http_connect(port);

	memcpy(body, "{\"epoch\":1,\"a\":[", 16);
	for (size_t i = 16; i + 3 < len; i += 3)
		memcpy(body + i, "[],", 3);
	snprintf(head, sizeof(head), "PATCH /jobs/7 HTTP/1.1\r\nHost: x\r\n"
		 "Content-Length: %zu\r\n\r\n", len);
	http_say(fd, head);
	http_send(fd, body, len);
	reply = http_read(fd);
	assert_int_equal(reply->status, 400);
	assert_non_null(strstr(reply->body, "body: JSON: more than 200000 objects"));
	close(fd);
	free(body);
}

/* --- answering later --- */

static void *_answer_kept(void *arg)
{
	int total = *(int *) arg;

	for (int i = 0; i < total; i++) {
		flurm_request_t *request;

		sem_wait(&kept_some);
		pthread_mutex_lock(&kept_lock);
		request = kept[--kept_count];
		pthread_mutex_unlock(&kept_lock);
		flurm_request_reply(request, 200, "text/plain",
				    flurm_request_query(request, "n"),
				    strlen(flurm_request_query(request, "n")));
	}
	return NULL;
}

static void _answers_later(void **state)
{
	enum { CLIENTS = 20, ROUNDS = 50 };
	int total = CLIENTS * ROUNDS, fds[CLIENTS];
	flurm_server_stats_t stats;
	pthread_t thread;
	char text[128];

	pthread_create(&thread, NULL, _answer_kept, &total);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = http_connect(port);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CLIENTS; i++) {
			snprintf(text, sizeof(text), GET("/later?n=%d"),
				 round * 1000 + i);
			http_say(fds[i], text);
		}
		for (int i = 0; i < CLIENTS; i++) {
			http_reply_t *reply = http_read(fds[i]);

			snprintf(text, sizeof(text), "%d", round * 1000 + i);
			assert_int_equal(reply->status, 200);
			assert_string_equal(reply->body, text);
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	pthread_join(thread, NULL);
	flurm_server_stats(server, &stats);
	assert_int_equal(stats.waiting, 0);
}

static void _answers_those_who_left(void **state)
{
	int fd = http_connect(port);

	http_say(fd, GET("/later?n=1"));
	sem_wait(&kept_some);
	close(fd);
	flurm_request_reply(kept[--kept_count], 200, "text/plain", "x", 1);
	assert_int_equal(http_once(port, GET("/jobs"))->status, 200);
}

static void _limits_those_who_wait(void **state)
{
	flurm_server_conf_t conf = { .max_waiting = 2 };
	int fds[2];
	http_reply_t *reply;

	_start(&conf);
	for (int i = 0; i < 2; i++) {
		fds[i] = http_connect(port);
		http_say(fds[i], GET("/later?n=1"));
		sem_wait(&kept_some);
	}
	reply = http_once(port, GET("/later?n=1"));
	assert_int_equal(reply->status, 429);
	assert_string_equal(http_header(reply, "Retry-After"), "1");
	while (kept_count)
		flurm_request_error(kept[--kept_count], 404, NULL, "no job");
	for (int i = 0; i < 2; i++) {
		assert_string_equal(_error(http_read(fds[i])), "no_such_job");
		close(fds[i]);
	}
	_stop(NULL);
}

static void _stops_under_those_who_wait(void **state)
{
	int fds[3];

	_start(NULL);
	for (int i = 0; i < 3; i++) {
		fds[i] = http_connect(port);
		http_say(fds[i], GET("/later?n=1"));
		sem_wait(&kept_some);
	}
	flurm_server_stop(server);
	for (int i = 0; i < 3; i++) {
		http_reply_t *reply = http_read(fds[i]);

		assert_int_equal(reply->status, 503);
		assert_string_equal(_error(reply), "not_ready");
		assert_true(http_closed(fds[i]));
		close(fds[i]);
	}
	/* their owner finds out, or not, as he likes */
	assert_string_equal(flurm_request_path(kept[0]), "/later");
	flurm_request_reply(kept[--kept_count], 200, "text/plain", "x", 1);
	flurm_request_error(kept[--kept_count], 404, NULL, "gone");
	stream = flurm_request_stream(kept[--kept_count], &stream_conf);
	assert_int_equal(flurm_stream_write(stream, "x", 1), -1);
	flurm_stream_close(stream);
}

/* --- streams --- */

static int _open_stream(void)
{
	static http_reply_t reply;
	int fd = http_connect(port);

	http_say(fd, GET("/stream"));
	sem_wait(&stream_opened);
	assert_true(http_read_header(fd, &reply));
	assert_int_equal(reply.status, 200);
	assert_string_equal(http_header(&reply, "Content-Type"),
			    "application/x-ndjson");
	assert_string_equal(http_header(&reply, "Transfer-Encoding"),
			    "chunked");
	return fd;
}

static void _streams(void **state)
{
	char chunk[4096], text[32];
	int fd;

	stream_conf = (flurm_stream_conf_t) {
		.type = "application/x-ndjson", .gone = _gone,
	};
	fd = _open_stream();
	for (int i = 0; i < 1000; i++) {
		int len = snprintf(text, sizeof(text), "line %d\n", i);

		assert_int_equal(flurm_stream_write(stream, text, len), len);
		assert_int_equal(http_read_chunk(fd, chunk, sizeof(chunk)),
				 len);
		assert_string_equal(chunk, text);
	}
	/* what was written before the end still comes */
	flurm_stream_write(stream, "a", 1);
	flurm_stream_write(stream, "b", 1);
	flurm_stream_close(stream);
	assert_true(http_read_chunk(fd, chunk, sizeof(chunk)) > 0);
	if (!strcmp(chunk, "a"))
		http_read_chunk(fd, chunk, sizeof(chunk));
	assert_int_equal(http_read_chunk(fd, chunk, sizeof(chunk)), -1);
	close(fd);
	usleep(50000);
	assert_int_equal(sem_trywait(&stream_gone), -1);
}

static void _stream_heartbeat(void **state)
{
	char chunk[4096];
	int fd;

	stream_conf = (flurm_stream_conf_t) {
		.type = "application/x-ndjson", .gone = _gone,
		.heartbeat = "beat\n", .heartbeat_ms = 50,
	};
	fd = _open_stream();
	for (int i = 0; i < 5; i++) {
		assert_int_equal(http_read_chunk(fd, chunk, sizeof(chunk)), 5);
		assert_string_equal(chunk, "beat\n");
	}
	/* the peer leaves: the next beat finds out */
	close(fd);
	sem_wait(&stream_gone);
	assert_int_equal(flurm_stream_write(stream, "x", 1), -1);
	flurm_stream_close(stream);
}

static void _stream_backlog(void **state)
{
	enum { BLOCK = 65536, BLOCKS = 400 };
	static char block[BLOCK];
	static char chunk[1 << 20];
	size_t written = 0, seen = 0;
	int fd;

	stream_conf = (flurm_stream_conf_t) {
		.type = "application/x-ndjson", .gone = _gone,
		.drained = _drained, .low = BLOCK, .max = 1 << 20,
	};
	fd = _open_stream();
	memset(block, 'x', sizeof(block));
	/* fill it, read some, wait to be called, and so on */
	for (int i = 0; i < BLOCKS; i++) {
		ssize_t waiting;

		atomic_store(&drained, false);
		waiting = flurm_stream_write(stream, block, BLOCK);
		assert_true(waiting > 0);
		written += BLOCK;
		if (waiting < 4 * BLOCK)
			continue;
		while (!atomic_load(&drained)) {
			ssize_t got = http_read_chunk(fd, chunk, sizeof(chunk));

			assert_true(got > 0);
			seen += got;
		}
	}
	flurm_stream_close(stream);
	while (seen < written) {
		ssize_t got = http_read_chunk(fd, chunk, sizeof(chunk));

		assert_true(got > 0);
		seen += got;
	}
	assert_int_equal(http_read_chunk(fd, chunk, sizeof(chunk)), -1);
	close(fd);
}

static void _stream_overflow(void **state)
{
	static char block[65536];
	int fd, i;

	stream_conf = (flurm_stream_conf_t) {
		.type = "application/x-ndjson", .gone = _gone, .max = 1 << 20,
	};
	fd = _open_stream();
	for (i = 0; i < 10000; i++)
		if (flurm_stream_write(stream, block, sizeof(block)) < 0)
			break;
	assert_in_range(i, 10, 9999);
	flurm_stream_close(stream);
	assert_true(http_closed(fd));
	close(fd);
}

static void _stop_ends_streams(void **state)
{
	char chunk[4096];
	int fd;

	_start(NULL);
	stream_conf = (flurm_stream_conf_t) {
		.type = "application/x-ndjson", .gone = _gone,
	};
	fd = _open_stream();
	flurm_stream_write(stream, "last\n", 5);
	flurm_server_stop(server);
	sem_wait(&stream_gone);
	assert_int_equal(http_read_chunk(fd, chunk, sizeof(chunk)), 5);
	assert_int_equal(http_read_chunk(fd, chunk, sizeof(chunk)), -1);
	close(fd);
	assert_int_equal(flurm_stream_write(stream, "x", 1), -1);
	flurm_stream_close(stream);
}

/* --- FLURM's own requests, as captured --- */

static void _takes_flurms_requests(void **state)
{
	static const flurm_route_t flurms[] = {
		FLURM_ROUTE("GET", "/api/v1/health", _echo),
		FLURM_ROUTE("GET", "/api/v1/cluster/stats", _echo),
		FLURM_ROUTE("POST", "/api/v1/jobs", _echo),
		FLURM_ROUTE("GET", "/api/v1/jobs/{id}", _echo),
		FLURM_ROUTE("POST", "/api/v1/federation/message", _echo),
		{ .method = NULL },
	};
	flurm_server_conf_t conf = { .name = "test", .routes = flurms };
	DIR *list = opendir(WIRE_DIR);
	struct dirent *entry;
	int count = 0, fd;

	assert_non_null(list);
	server = flurm_server_start(&conf, NULL);
	assert_non_null(server);
	/* all on one connection, as FLURM does */
	fd = http_connect(flurm_server_port(server));
	while ((entry = readdir(list))) {
		char path[512];
		uint8_t *text;
		size_t len;

		if (!strstr(entry->d_name, ".raw"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", WIRE_DIR, entry->d_name);
		text = scratch_read(path, &len);
		http_send(fd, text, len);
		assert_int_equal(http_read(fd)->status, 200);
		free(text);
		count++;
	}
	assert_true(count >= 14);
	closedir(list);
	close(fd);
	_stop(NULL);
}

/* --- what goes wrong at the start --- */

static void _start_errors(void **state)
{
	flurm_server_conf_t conf = { .name = "second", .routes = routes };
	fed_err_t err;

	conf.port = port;
	assert_null(flurm_server_start(&conf, &err));
	assert_int_equal(err.code, EADDRINUSE);
	assert_non_null(strstr(err.text, "listen on 127.0.0.1 port"));
	conf.port = 0;
	conf.address = "localhost.invalid";
	assert_null(flurm_server_start(&conf, &err));
	assert_non_null(strstr(err.text, "listen address localhost.invalid"));
	conf.address = NULL;
	conf.tls_cert = "/nowhere/cert.pem";
	assert_null(flurm_server_start(&conf, &err));
	assert_string_equal(err.text,
			    "TLS needs a certificate and its key");
	conf.tls_key = "/nowhere/key.pem";
	assert_null(flurm_server_start(&conf, &err));
	assert_non_null(strstr(err.text, "/nowhere/cert.pem"));
}

static void _metrics(void **state)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	http_once(port, GET("/jobs"));
	http_once(port, GET("/nothing"));
	flurm_server_metrics(server, "x_http", out);
	fclose(out);
	assert_non_null(strstr(text, "x_http_requests_total{class=\"2xx\"} "));
	assert_non_null(strstr(text, "# TYPE x_http_connections gauge\n"));
	free(text);
}

int main(void)
{
#define PLAIN(test) \
	cmocka_unit_test_setup_teardown(test, _start_plain, _stop)
#define GUARDED(test) \
	cmocka_unit_test_setup_teardown(test, _start_guarded, _stop)
	const struct CMUnitTest tests[] = {
		PLAIN(_finds_routes),
		PLAIN(_refuses_other_routes),
		PLAIN(_keeps_connections),
		GUARDED(_wants_a_token),
		GUARDED(_answers_the_stranger_before_his_body),
		PLAIN(_limits_bodies),
		PLAIN(_ends_bodies_without_end),
		PLAIN(_limits_headers),
		PLAIN(_refuses_unclear_framing),
		cmocka_unit_test(_refuses_broken_http),
		cmocka_unit_test(_cuts_slow_connections),
		cmocka_unit_test(_waits_when_full),
		PLAIN(_reads_ops),
		PLAIN(_limits_values),
		PLAIN(_answers_later),
		PLAIN(_answers_those_who_left),
		cmocka_unit_test(_limits_those_who_wait),
		cmocka_unit_test(_stops_under_those_who_wait),
		PLAIN(_streams),
		PLAIN(_stream_heartbeat),
		PLAIN(_stream_backlog),
		PLAIN(_stream_overflow),
		cmocka_unit_test(_stop_ends_streams),
		cmocka_unit_test(_takes_flurms_requests),
		PLAIN(_start_errors),
		PLAIN(_metrics),
	};

	sem_init(&kept_some, 0, 0);
	sem_init(&stream_opened, 0, 0);
	sem_init(&stream_gone, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
