/*
 * conf.c - gateway.conf (see conf.h).
 *
 * One table says for each key its place, its type and its range; the checks
 * that need more than one key come after the file has been read.
 */
#include "fed_config.h"

#include "src/gateway/conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/core/keyval.h"
#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/conf_value.h"

typedef enum { TEXT, NAME, CHOICE, PATH, NUMBER, FLAG } type_t;

typedef struct {
	const char *key;
	type_t type;
	size_t offset;
	int64_t min;		/* of a NUMBER */
	int64_t max;
	const char *choices;	/* of a CHOICE, separated by | */
	bool restart;		/* cannot change while we run */
} setting_t;

#define SETTING(field, kind, ...) \
	{ .key = #field, .type = kind, .offset = offsetof(gw_conf_t, field), \
	  __VA_ARGS__ }
#define RANGE(least, most) .min = least, .max = most
#define RESTART .restart = true

#define A_DAY (24 * 3600)

static const setting_t keys[] = {
	SETTING(cluster_name, NAME, RESTART),
	SETTING(backend, CHOICE, .choices = "local|sim", RESTART),
	SETTING(state_dir, PATH, RESTART),
	SETTING(log_level, CHOICE, .choices = "error|info|verbose|debug"),

	SETTING(token_key_file, PATH, RESTART),
	SETTING(insecure_no_token, FLAG, RESTART),
	SETTING(insecure_plain_http, FLAG, RESTART),
	SETTING(tls_cert_file, PATH, RESTART),
	SETTING(tls_key_file, PATH, RESTART),
	SETTING(tls_client_ca_file, PATH, RESTART),
	SETTING(max_body_mb, NUMBER, RANGE(1, 1024), RESTART),
	SETTING(max_connections, NUMBER, RANGE(8, 65536), RESTART),
	SETTING(max_jobs, NUMBER, RANGE(1, 10000000)),

	SETTING(gate_ask_again, NUMBER, RANGE(1, A_DAY)),
	SETTING(gate_patience, NUMBER, RANGE(1, 30 * A_DAY)),
	SETTING(gate_retry, NUMBER, RANGE(0, A_DAY)),
	SETTING(start_attempts, NUMBER, RANGE(1, 1000)),
	SETTING(finished_keep, NUMBER, RANGE(1, 366 * A_DAY)),
	SETTING(max_events, NUMBER, RANGE(16, 100000000)),

	SETTING(backfill_depth, NUMBER, RANGE(0, 1000000)),

	SETTING(node_name, NAME, RESTART),
	SETTING(cpus, NUMBER, RANGE(1, 1048576), RESTART),
	SETTING(memory_mb, NUMBER, RANGE(1, INT64_C(1) << 40), RESTART),
	SETTING(features, TEXT, RESTART),
	SETTING(kill_wait, NUMBER, RANGE(0, A_DAY)),
	SETTING(allow_root, FLAG),
	SETTING(min_uid, NUMBER, RANGE(0, 0xfffffffe)),
	SETTING(cgroup, TEXT, RESTART),
	SETTING(shim, PATH),

	SETTING(sim_nodes, NUMBER, RANGE(1, 1000000), RESTART),
	SETTING(sim_cpus, NUMBER, RANGE(1, 65536), RESTART),
	SETTING(sim_memory_mb, NUMBER, RANGE(1, INT64_C(1) << 40), RESTART),
	SETTING(sim_speed, NUMBER, RANGE(1, 1000000), RESTART),
	SETTING(sim_duration, NUMBER, RANGE(0, 1000000), RESTART),
	SETTING(sim_failures, NUMBER, RANGE(0, 100), RESTART),
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static void *_place(const gw_conf_t *conf, const setting_t *key)
{
	return (char *) conf + key->offset;
}

static bool _is_text(const setting_t *key)
{
	return (key->type != NUMBER) && (key->type != FLAG);
}

static void _replace(char **text, const char *value)
{
	free(*text);
	*text = fed_strdup(value);
}

static int64_t _host_memory_mb(void)
{
	return (int64_t) sysconf(_SC_PHYS_PAGES) *
		(sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

extern void gw_conf_init(gw_conf_t *conf)
{
	char host[HOST_NAME_MAX + 1] = "localhost";

	(void) gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = 0;
	*conf = (gw_conf_t) {
		.cluster_name = fed_strdup("flurm"),
		.backend = fed_strdup("local"),
		.state_dir = fed_strdup(GW_STATE_DIR),
		.log_level = fed_strdup("info"),
		.address = fed_strdup("127.0.0.1"),
		.port = 6821,
		.max_body_mb = 16,
		.max_connections = 1024,
		.max_jobs = 200000,
		.gate_ask_again = 30,
		.gate_patience = 600,
		.gate_retry = 30,
		.start_attempts = 3,
		.finished_keep = A_DAY,
		.max_events = 1000000,
		.backfill_depth = 100,
		.node_name = fed_strdup(host),
		.cpus = sysconf(_SC_NPROCESSORS_ONLN),
		.memory_mb = _host_memory_mb(),
		.kill_wait = 30,
		.min_uid = 1,
		.cgroup = fed_strdup("auto"),
		.shim = fed_strdup(GW_SHIM),
		.sim_nodes = 100,
		.sim_cpus = 64,
		.sim_memory_mb = 262144,
		.sim_speed = 1,
		.sim_duration = 10,
	};
}

extern void gw_conf_free(gw_conf_t *conf)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (_is_text(&keys[i]))
			free(*(char **) _place(conf, &keys[i]));
	for (size_t i = 0; i < conf->partition_count; i++)
		free(conf->partitions[i].name);
	free(conf->partitions);
	free(conf->address);
	free(conf->path);
	*conf = (gw_conf_t) { 0 };
}

static int _take_partition_word(gw_partition_conf_t *partition, char *word,
				fed_err_t *err)
{
	char *value = strchr(word, '=');
	int rc = 0;

	if (!value)
		return fed_err_set(err, EINVAL, "partition %s: \"%s\" is not "
				   "key=value", partition->name, word);
	*value++ = 0;
	if (!strcmp(word, "max_time"))
		rc = gw_conf_parse_span(value, &partition->max_time);
	else if (!strcmp(word, "default_time"))
		rc = gw_conf_parse_span(value, &partition->default_time);
	else if (!strcmp(word, "priority"))
		rc = gw_conf_parse_number(value, 0, 1000000000,
					  &partition->priority);
	else if (!strcmp(word, "default"))
		rc = gw_conf_parse_flag(value, &partition->is_default);
	else if (!strcmp(word, "state"))
		rc = gw_conf_is_choice("up|down", value) ?
			(partition->up = !strcmp(value, "up"), 0) : -1;
	else
		return fed_err_set(err, EINVAL, "partition %s: unknown key "
				   "\"%s\"", partition->name, word);
	if (rc)
		return fed_err_set(err, EINVAL, "partition %s: %s: \"%s\" is "
				   "not valid", partition->name, word, value);
	return 0;
}

static gw_partition_conf_t *_add_partition(gw_conf_t *conf, const char *name)
{
	gw_partition_conf_t *partition;

	conf->partitions = fed_realloc(conf->partitions,
				       (conf->partition_count + 1) *
				       sizeof(*conf->partitions));
	partition = &conf->partitions[conf->partition_count++];
	*partition = (gw_partition_conf_t) {
		.name = fed_strdup(name),
		.max_time = GW_NO_LIMIT,
		.default_time = GW_NO_LIMIT,
		.up = true,
	};
	return partition;
}

static int _take_partition(gw_conf_t *conf, const char *value, fed_err_t *err)
{
	char *words = fed_strdup(value), *rest = words, *word;
	gw_partition_conf_t *partition;
	int rc = 0;

	if (!gw_conf_is_name(word = strsep(&rest, " \t"))) {
		rc = fed_err_set(err, EINVAL, "partition: \"%s\" does not "
				 "begin with a name", value);
		goto done;
	}
	for (size_t i = 0; i < conf->partition_count; i++)
		if (!strcmp(conf->partitions[i].name, word)) {
			rc = fed_err_set(err, EINVAL, "partition %s is there "
					 "twice", word);
			goto done;
		}
	partition = _add_partition(conf, word);
	while (!rc && (word = strsep(&rest, " \t")))
		if (*word)
			rc = _take_partition_word(partition, word, err);
	if (!rc && (partition->default_time > partition->max_time))
		partition->default_time = partition->max_time;
done:
	free(words);
	return rc;
}

/* ADDRESS:PORT, [V6]:PORT or PORT */
static int _take_listen(gw_conf_t *conf, const char *value, fed_err_t *err)
{
	unsigned char binary[sizeof(struct in6_addr)];
	char *address = fed_strdup(value), *port;
	int rc = -1;

	if ((port = strrchr(address, ':'))) {
		char *host = address;

		*port++ = 0;
		if ((*host == '[') && (port[-2] == ']')) {
			port[-2] = 0;
			host++;
		}
		if ((inet_pton(AF_INET, host, binary) == 1) ||
		    (inet_pton(AF_INET6, host, binary) == 1))
			rc = gw_conf_parse_number(port, 0, 65535, &conf->port);
		if (!rc)
			_replace(&conf->address, host);
	} else {
		rc = gw_conf_parse_number(value, 0, 65535, &conf->port);
	}
	free(address);
	if (rc)
		return fed_err_set(err, EINVAL, "listen: \"%s\" is not "
				   "ADDRESS:PORT with a numeric address",
				   value);
	return 0;
}

static int _take_text(const setting_t *key, char **place, const char *value,
		      fed_err_t *err)
{
	if ((key->type == NAME) && !gw_conf_is_name(value))
		return fed_err_set(err, EINVAL, "%s: \"%s\" is not a name "
				   "(letters, digits, - _ .)", key->key,
				   value);
	if ((key->type == CHOICE) && !gw_conf_is_choice(key->choices, value))
		return fed_err_set(err, EINVAL, "%s: \"%s\" is none of %s",
				   key->key, value, key->choices);
	if ((key->type == PATH) && (value[0] != '/'))
		return fed_err_set(err, EINVAL, "%s: \"%s\" is not an "
				   "absolute path", key->key, value);
	_replace(place, value);
	return 0;
}

static int _take(void *arg, const char *name, const char *value,
		 unsigned int line, fed_err_t *err)
{
	gw_conf_t *conf = arg;

	if (!strcmp(name, "listen"))
		return _take_listen(conf, value, err);
	if (!strcmp(name, "partition"))
		return _take_partition(conf, value, err);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const setting_t *key = &keys[i];
		void *place = _place(conf, key);

		if (strcmp(key->key, name))
			continue;
		if (_is_text(key))
			return _take_text(key, place, value, err);
		if ((key->type == FLAG) && gw_conf_parse_flag(value, place))
			return fed_err_set(err, EINVAL, "%s: \"%s\" is "
					   "neither yes nor no", name, value);
		if ((key->type == NUMBER) &&
		    gw_conf_parse_number(value, key->min, key->max, place))
			return fed_err_set(err, EINVAL, "%s: \"%s\" is not a "
					   "number from %lld to %lld", name,
					   value, (long long) key->min,
					   (long long) key->max);
		return 0;
	}
	return fed_err_set(err, EINVAL, "unknown key \"%s\"", name);
}

static bool _is_loopback(const char *address)
{
	return !strncmp(address, "127.", 4) || !strcmp(address, "::1");
}

/* What no single line can be blamed for. */
static int _check(gw_conf_t *conf, fed_err_t *err)
{
	bool tls = conf->tls_cert_file && conf->tls_key_file;
	size_t defaults = 0;

	if (!conf->token_key_file && !conf->insecure_no_token)
		return fed_err_set(err, EINVAL, "no token_key_file");
	if (conf->insecure_no_token && !_is_loopback(conf->address))
		return fed_err_set(err, EINVAL, "insecure_no_token is for the "
				   "loopback address alone, not for %s",
				   conf->address);
	if (!conf->tls_cert_file != !conf->tls_key_file)
		return fed_err_set(err, EINVAL, "tls_cert_file and "
				   "tls_key_file go together");
	if (conf->tls_client_ca_file && !tls)
		return fed_err_set(err, EINVAL, "tls_client_ca_file without "
				   "tls_cert_file");
	if (!tls && !_is_loopback(conf->address) && !conf->insecure_plain_http)
		return fed_err_set(err, EINVAL, "listen on %s needs "
				   "tls_cert_file and tls_key_file (or "
				   "insecure_plain_http = yes)", conf->address);
	if (!conf->partition_count)
		_add_partition(conf, "default");
	for (size_t i = 0; i < conf->partition_count; i++)
		defaults += conf->partitions[i].is_default;
	if (defaults > 1)
		return fed_err_set(err, EINVAL, "more than one partition has "
				   "default=yes");
	if (!defaults)
		conf->partitions[0].is_default = true;
	return 0;
}

extern int gw_conf_read(const char *path, gw_conf_t *ret_conf, fed_err_t *err)
{
	gw_conf_t conf;

	gw_conf_init(&conf);
	conf.path = fed_strdup(path);
	if (fed_keyval_read(path, _take, &conf, err)) {
		gw_conf_free(&conf);
		return -1;
	}
	if (_check(&conf, err)) {
		fed_err_prefix(err, "%s", path);
		gw_conf_free(&conf);
		return -1;
	}
	*ret_conf = conf;
	return 0;
}

static bool _same_text(const char *a, const char *b)
{
	return (!a || !b) ? (a == b) : !strcmp(a, b);
}

static bool _same_partitions(const gw_conf_t *now, const gw_conf_t *newer)
{
	if (now->partition_count != newer->partition_count)
		return false;
	for (size_t i = 0; i < now->partition_count; i++)
		if (strcmp(now->partitions[i].name, newer->partitions[i].name))
			return false;
	return true;
}

extern const char *gw_conf_restart_key(const gw_conf_t *now,
				       const gw_conf_t *newer)
{
	if (strcmp(now->address, newer->address) || (now->port != newer->port))
		return "listen";
	if (!_same_partitions(now, newer))
		return "partition";
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const setting_t *key = &keys[i];
		const void *a = _place(now, key), *b = _place(newer, key);

		if (!key->restart)
			continue;
		if (_is_text(key) ?
		    !_same_text(*(char *const *) a, *(char *const *) b) :
		    (key->type == FLAG) ?
		    (*(const bool *) a != *(const bool *) b) :
		    (*(const int64_t *) a != *(const int64_t *) b))
			return key->key;
	}
	return NULL;
}

extern void gw_conf_take(gw_conf_t *conf, gw_conf_t *newer)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		void *to = _place(conf, &keys[i]);
		const void *from = _place(newer, &keys[i]);

		if (keys[i].restart)
			continue;
		if (_is_text(&keys[i]))
			_replace(to, *(char *const *) from);
		else if (keys[i].type == FLAG)
			*(bool *) to = *(const bool *) from;
		else
			*(int64_t *) to = *(const int64_t *) from;
	}
	if (!_same_partitions(conf, newer))
		return;
	for (size_t i = 0; i < conf->partition_count; i++) {
		gw_partition_conf_t *to = &conf->partitions[i];
		char *name = to->name;

		*to = newer->partitions[i];
		to->name = name;
	}
}
