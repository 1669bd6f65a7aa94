/*
 * host.c - all controllers of this process (see host.h).
 */
#include "src/sibling/host.h"

#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/sibling/compat.h"
#include "src/sibling/conf.h"
#include "src/sibling/controller.h"
#include "src/sibling/status.h"

typedef struct slot {
	struct slot *next;
	char *cluster;		/* its name */
	controller_t *controller; /* NULL: not running */
	char error[FED_ERR_TEXT_MAX]; /* why not, or "" */
	fed_log_throttle_t complaint;
} slot_t;

struct host {
	char *conf_path;	/* or NULL */
	const char *name;
	site_t *site;
	conf_t *conf;
	status_t *status;
	fed_log_throttle_t status_complaint;
	pthread_mutex_t lock;	/* slots, against the status thread */
	slot_t *slots;
};

static json_t *_status(void *arg)
{
	host_t *host = arg;
	json_t *list = json_array();

	pthread_mutex_lock(&host->lock);
	for (slot_t *slot = host->slots; slot; slot = slot->next) {
		json_t *json = NULL;

		if (slot->controller)
			json = controller_status(slot->controller);
		if (!json)
			json = json_pack("{s:s, s:s}", "name", slot->cluster,
					 "error", slot->error);
		json_object_set_new(json, "running",
				    json_boolean(slot->controller));
		json_array_append_new(list, json);
	}
	pthread_mutex_unlock(&host->lock);
	return json_pack("{s:s, s:s, s:s, s:i, s:o}",
			 "host", host->name,
			 "version", FED_FLURM_VERSION,
			 "slurm", SLURM_VERSION_STRING,
			 "pid", (int) getpid(),
			 "clusters", list);
}

static void _add_slots(host_t *host)
{
	for (int i = 0; i < host->conf->cluster_cnt; i++) {
		slot_t *slot = host->slots;

		while (slot && xstrcmp(slot->cluster,
				       host->conf->cluster[i].name))
			slot = slot->next;
		if (slot)
			continue;
		slot = xmalloc(sizeof(*slot));
		slot->cluster = xstrdup(host->conf->cluster[i].name);
		slot->next = host->slots;
		host->slots = slot;
	}
}

extern host_t *host_create(const char *conf_path, const char *name,
			   fed_err_t *err)
{
	host_t *host = xmalloc(sizeof(*host));

	pthread_mutex_init(&host->lock, NULL);
	host->conf_path = xstrdup(conf_path);
	host->name = name;
	host->site = site_copy();
	if (compat_tls_enabled())
		fed_err_set(err, 0,
			    "slurm.conf has a TLSType, which is not supported yet");
	else
		host->conf = conf_read(conf_path, host->site, err);
	if (!host->conf) {
		host_destroy(host);
		return NULL;
	}
	_add_slots(host);
	return host;
}

extern char *host_cluster_names(const host_t *host)
{
	char *names = NULL;

	for (int i = 0; i < host->conf->cluster_cnt; i++)
		xstrfmtcat(names, "%s%s", i ? "," : "",
			   host->conf->cluster[i].name);
	return names;
}

static int _make_dir(const char *path, fed_err_t *err)
{
	if (!mkdir(path, 0700) || (errno == EEXIST))
		return 0;
	return fed_err_set(err, errno, "make directory %s: %s", path,
			   strerror(errno));
}

static void _set_error(host_t *host, slot_t *slot, const char *text)
{
	pthread_mutex_lock(&host->lock);
	snprintf(slot->error, sizeof(slot->error), "%s", text);
	pthread_mutex_unlock(&host->lock);
}

static bool _start_slot(host_t *host, slot_t *slot)
{
	controller_t *controller;
	fed_err_t err;

	if (slot->controller)
		return true;
	controller = controller_create(conf_find(host->conf, slot->cluster),
				       host->conf->ledger_dir, host->site,
				       &err);
	if (!controller) {
		_set_error(host, slot, err.text);
		fed_log_throttled(&slot->complaint, FED_LOG_ERROR,
				  "%s (tried again every second)", err.text);
		return false;
	}
	memset(&slot->complaint, 0, sizeof(slot->complaint));
	pthread_mutex_lock(&host->lock);
	slot->controller = controller;
	slot->error[0] = 0;
	pthread_mutex_unlock(&host->lock);
	return true;
}

extern bool host_start(host_t *host)
{
	bool all = true;
	fed_err_t err;

	if (_make_dir(host->conf->ledger_dir, &err)) {
		fed_error("%s", err.text);
		return false;
	}
	if (!host->status)
		host->status = status_create(host->conf->status_socket,
					     host->site, _status, host, &err);
	if (!host->status) {
		fed_log_throttled(&host->status_complaint, FED_LOG_ERROR,
				  "status socket: %s (tried again every second)",
				  err.text);
		all = false;
	}
	for (slot_t *slot = host->slots; slot; slot = slot->next) {
		if (!_start_slot(host, slot))
			all = false;
	}
	return all;
}

static void _stop_slot(host_t *host, slot_t *slot)
{
	controller_t *controller;

	pthread_mutex_lock(&host->lock);
	controller = slot->controller;
	slot->controller = NULL;
	pthread_mutex_unlock(&host->lock);
	controller_destroy(controller);
}

extern void host_stop(host_t *host)
{
	status_destroy(host->status);
	host->status = NULL;
	for (slot_t *slot = host->slots; slot; slot = slot->next)
		_stop_slot(host, slot);
}

static void _free_slot(slot_t *slot)
{
	xfree(slot->cluster);
	xfree(slot);
}

extern int host_reconfigure(host_t *host, fed_err_t *err)
{
	conf_t *conf = conf_read(host->conf_path, host->site, err);
	bool moved;
	slot_t **at = &host->slots, *slot;

	if (!conf || site_follow(host->site, err)) {
		conf_free(conf);
		return -1;
	}
	moved = xstrcmp(conf->ledger_dir, host->conf->ledger_dir);
	if (xstrcmp(conf->status_socket, host->conf->status_socket)) {
		status_destroy(host->status);
		host->status = NULL;
	}
	while ((slot = *at)) {
		const conf_cluster_t *now = conf_find(conf, slot->cluster);

		if (slot->controller &&
		    (moved || !now ||
		     !conf_cluster_equal(now,
					 controller_conf(slot->controller))))
			_stop_slot(host, slot);
		if (now) {
			at = &slot->next;
			continue;
		}
		pthread_mutex_lock(&host->lock);
		*at = slot->next;
		pthread_mutex_unlock(&host->lock);
		_free_slot(slot);
	}
	conf_free(host->conf);
	host->conf = conf;
	pthread_mutex_lock(&host->lock);
	_add_slots(host);
	pthread_mutex_unlock(&host->lock);
	return 0;
}

extern int host_leave(host_t *host, int *fds, int max)
{
	int cnt = 0;

	status_destroy(host->status);
	host->status = NULL;
	for (slot_t *slot = host->slots; slot; slot = slot->next) {
		int fd = controller_leave(slot->controller);

		slot->controller = NULL;
		if (fd < 0)
			continue;
		if (cnt < max)
			fds[cnt++] = fd;
		else
			close(fd);
	}
	host_destroy(host);
	return cnt;
}

extern void host_destroy(host_t *host)
{
	slot_t *slot;

	if (!host)
		return;
	host_stop(host);
	while ((slot = host->slots)) {
		host->slots = slot->next;
		_free_slot(slot);
	}
	conf_free(host->conf);
	site_free(host->site);
	pthread_mutex_destroy(&host->lock);
	xfree(host->conf_path);
	xfree(host);
}
