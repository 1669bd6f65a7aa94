/*
 * transfer.c - one HTTP request and its answer (see transfer.h).
 *
 * libcurl's callbacks only collect; what they lead to happens when its multi
 * handle has returned. Handles are kept for the next transfer: making one
 * costs more than a small request.
 */
#include "fed_config.h"

#include "src/flurm/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "src/core/mem.h"
#include "src/flurm/loop_inside.h"

#define CONNECT_MS 5000
#define MAX_REPLY (64 << 20)
#define SPARES_MAX 32
#define KEEPALIVE_IDLE_S 30L
#define KEEPALIVE_EVERY_S 10L

struct dest {
	flurm_loop_t *loop;
	flurm_token_t *token;
	char *url;
	char *bearer;
	char *ca_file;
	char *cert_file;
	char *key_file;
	bool no_reuse;
	unsigned int connect_ms;
	size_t max_reply;
	CURL *spares[SPARES_MAX];
	unsigned int spare_count;
};

struct transfer {
	dest_t *dest;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	char *data;
	size_t start, end, size;
	bool too_long;
	bool finished;		/* done() runs: freed after it */
	char error[CURL_ERROR_SIZE];
	char what[256];		/* "POST /api/v1/jobs" */
	flurm_timer_t grown_timer;
	void (*grown)(void *arg);
	void (*done)(void *arg, const transfer_result_t *result);
	void *arg;
};

/* --- where to --- */

static int _check_url(const char *url, fed_err_t *err)
{
	const char *host = NULL;

	if (url && !strncasecmp(url, "http://", 7))
		host = url + 7;
	else if (url && !strncasecmp(url, "https://", 8))
		host = url + 8;
	if (!host || !*host || strpbrk(host, "/?#@ \t\r\n"))
		return fed_err_set(err, EINVAL, "url %s: must be http://HOST:"
				   "PORT or https://HOST:PORT, no path",
				   url ? url : "(none)");
	return 0;
}

extern dest_t *dest_create(flurm_loop_t *loop, const flurm_client_conf_t *conf,
			   fed_err_t *err)
{
	dest_t *dest;

	if (_check_url(conf->url, err) < 0)
		return NULL;
	if (!conf->cert_file != !conf->key_file) {
		fed_err_set(err, EINVAL, "a client certificate needs its key, "
			    "and a key its certificate");
		return NULL;
	}
	dest = fed_calloc(1, sizeof(*dest));
	dest->loop = loop;
	dest->token = conf->token;
	dest->url = fed_strdup(conf->url);
	dest->bearer = fed_strdup(conf->bearer);
	dest->ca_file = fed_strdup(conf->ca_file);
	dest->cert_file = fed_strdup(conf->cert_file);
	dest->key_file = fed_strdup(conf->key_file);
	dest->no_reuse = conf->no_reuse;
	dest->connect_ms = conf->connect_ms ? conf->connect_ms : CONNECT_MS;
	dest->max_reply = conf->max_reply ? conf->max_reply : MAX_REPLY;
	return dest;
}

extern void dest_destroy(dest_t *dest)
{
	if (!dest)
		return;
	while (dest->spare_count)
		curl_easy_cleanup(dest->spares[--dest->spare_count]);
	if (dest->bearer)
		explicit_bzero(dest->bearer, strlen(dest->bearer));
	free(dest->url);
	free(dest->bearer);
	free(dest->ca_file);
	free(dest->cert_file);
	free(dest->key_file);
	free(dest);
}

/* --- libcurl's callbacks: collect --- */

static size_t _write(char *data, size_t one, size_t len, void *arg)
{
	transfer_t *transfer = arg;
	size_t waiting = transfer->end - transfer->start;

	if (waiting + len > transfer->dest->max_reply) {
		transfer->too_long = true;
		return 0;
	}
	if ((transfer->end + len + 1 > transfer->size) && transfer->start) {
		memmove(transfer->data, transfer->data + transfer->start,
			waiting);
		transfer->start = 0;
		transfer->end = waiting;
	}
	if (transfer->end + len + 1 > transfer->size) {
		if (!transfer->size)
			transfer->size = 1024;
		while (transfer->end + len + 1 > transfer->size)
			transfer->size *= 2;
		transfer->data = fed_realloc(transfer->data, transfer->size);
	}
	memcpy(transfer->data + transfer->end, data, len);
	transfer->end += len;
	transfer->data[transfer->end] = '\0';
	if (transfer->grown)
		timer_set(loop_timers(transfer->dest->loop),
			  &transfer->grown_timer, 0);
	return len;
}

/* The end of the answer's header is news too. */
static size_t _header(char *line, size_t one, size_t len, void *arg)
{
	transfer_t *transfer = arg;

	if (transfer->grown && (len == 2) && (line[0] == '\r'))
		timer_set(loop_timers(transfer->dest->loop),
			  &transfer->grown_timer, 0);
	return len;
}

static void _grown(void *arg)
{
	transfer_t *transfer = arg;

	transfer->grown(transfer->arg);
}

/* --- one transfer --- */

/* What every transfer to this dest has in common. */
static CURL *_make_easy(const dest_t *dest)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		return NULL;
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
			 (long) CURL_HTTP_VERSION_1_1);
	/* the environment of slurmctld is not where a proxy is said */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT,
			 PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long) dest->connect_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
			 (long) CURL_SSLVERSION_TLSv1_2);
	if (dest->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, dest->ca_file);
	if (dest->cert_file) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, dest->cert_file);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, dest->key_file);
	}
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, _write);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, _header);
	return easy;
}

/* RET 0, or -1: no token, err says why */
static int _make_headers(transfer_t *transfer, fed_err_t *err)
{
	dest_t *dest = transfer->dest;
	const char *bearer = dest->bearer;
	struct curl_slist *headers = NULL;
	char *line;

	if (dest->token) {
		bearer = flurm_token_current(dest->token, time(NULL), err);
		if (!bearer)
			return -1;
	}
	/* an empty value takes the header out: we do not wait for a 100 */
	headers = curl_slist_append(NULL, "Expect:");
	headers = curl_slist_append(headers, "Content-Type: application/json");
	if (bearer) {
		line = fed_strdup_printf("Authorization: Bearer %s", bearer);
		headers = curl_slist_append(headers, line);
		free(line);
	}
	transfer->headers = headers;
	return 0;
}

static void _set_request(transfer_t *transfer, const transfer_conf_t *conf)
{
	bool fresh = transfer->dest->no_reuse || conf->once;
	CURL *easy = transfer->easy;
	char *url = fed_strdup_printf("%s%s", transfer->dest->url, conf->path);

	curl_easy_setopt(easy, CURLOPT_URL, url);
	free(url);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (conf->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t) conf->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, conf->body);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, conf->method);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) conf->answer_ms);
	/* on one that was used before libcurl may send a request again */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, fresh ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
}

static void _destroy(transfer_t *transfer)
{
	dest_t *dest = transfer->dest;

	timer_clear(loop_timers(dest->loop), &transfer->grown_timer);
	if (transfer->easy && (dest->spare_count < SPARES_MAX)) {
		/* these point into what is freed here */
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, NULL);
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
		curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, NULL);
		dest->spares[dest->spare_count++] = transfer->easy;
	} else if (transfer->easy) {
		curl_easy_cleanup(transfer->easy);
	}
	for (struct curl_slist *at = transfer->headers; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(transfer->headers);
	free(transfer->body);
	free(transfer->data);
	free(transfer);
}

extern transfer_t *transfer_start(dest_t *dest, const transfer_conf_t *conf,
				  fed_err_t *err)
{
	transfer_t *transfer = fed_calloc(1, sizeof(*transfer));
	CURLMcode rc;

	transfer->dest = dest;
	transfer->body = conf->body;
	transfer->grown = conf->grown;
	transfer->grown_timer = (flurm_timer_t) TIMER(_grown, transfer);
	transfer->done = conf->done;
	transfer->arg = conf->arg;
	snprintf(transfer->what, sizeof(transfer->what), "%s %s%.150s",
		 conf->method, dest->url, conf->path);
	if (_make_headers(transfer, err) < 0)
		goto fail;
	transfer->easy = dest->spare_count ? dest->spares[--dest->spare_count] :
					     _make_easy(dest);
	if (!transfer->easy) {
		fed_err_set(err, ENOMEM, "%s: no handle", transfer->what);
		goto fail;
	}
	_set_request(transfer, conf);
	rc = curl_multi_add_handle(loop_multi(dest->loop), transfer->easy);
	if (!rc)
		return transfer;
	fed_err_set(err, 0, "%s: %s", transfer->what, curl_multi_strerror(rc));
fail:
	_destroy(transfer);
	return NULL;
}

extern void transfer_abort(transfer_t *transfer)
{
	if (!transfer || transfer->finished)
		return;
	curl_multi_remove_handle(loop_multi(transfer->dest->loop),
				 transfer->easy);
	_destroy(transfer);
}

extern int transfer_status(transfer_t *transfer)
{
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

extern bool transfer_delivered(transfer_t *transfer)
{
	long sent = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent > 0;
}

extern const char *transfer_data(const transfer_t *transfer, size_t *ret_len)
{
	*ret_len = transfer->end - transfer->start;
	return transfer->data ? transfer->data + transfer->start : "";
}

extern void transfer_consume(transfer_t *transfer, size_t len)
{
	transfer->start += len;
}

extern void transfer_finished(CURL *easy, CURLcode code)
{
	transfer_result_t result = { .retry_after = FLURM_UNSET };
	char error[CURL_ERROR_SIZE + 300];
	transfer_t *transfer;
	curl_off_t after = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &transfer);
	result.body = transfer_data(transfer, &result.len);
	result.delivered = transfer_delivered(transfer);
	if (code == CURLE_OK) {
		result.status = transfer_status(transfer);
		curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
		if (after > 0)
			result.retry_after = after;
	}
	snprintf(error, sizeof(error), "%s: %s", transfer->what,
		 transfer->too_long ? "the answer is too long" :
		 transfer->error[0] ? transfer->error :
		 curl_easy_strerror(code));
	result.error = error;
	curl_multi_remove_handle(loop_multi(transfer->dest->loop), easy);
	timer_clear(loop_timers(transfer->dest->loop), &transfer->grown_timer);
	transfer->finished = true;
	transfer->done(transfer->arg, &result);
	_destroy(transfer);
}
