/*
 * status_show.c - a status, for a person to read (see status_show.h).
 *
 * Per cluster one paragraph: what it is registered as, each sibling on a line
 * of a table, FLURM, the ledger, the port. What is wrong comes last, where it
 * is seen first on a terminal.
 */
#include "fed_config.h"

#include "src/flurmfed/status_show.h"

#include <stdbool.h>
#include <string.h>

#include "src/flurmfed/status_judge.h"

#define LABEL "  %-11s "

/* RET text in room: "5 s", "3 min", "2 h 10 min", "4 d 6 h" */
static const char *_span(long long seconds, char *room, size_t size)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds < 60)
		snprintf(room, size, "%lld s", seconds);
	else if (seconds < 3600)
		snprintf(room, size, "%lld min", seconds / 60);
	else if (seconds < 86400)
		snprintf(room, size, "%lld h %lld min", seconds / 3600,
			 seconds % 3600 / 60);
	else
		snprintf(room, size, "%lld d %lld h", seconds / 86400,
			 seconds % 86400 / 3600);
	return room;
}

static const char *_since(const json_t *object, time_t now, char *room,
			  size_t size)
{
	return _span((long long) now - status_int(object, "since"), room,
		     size);
}

static const char *_size(long long bytes, char *room, size_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
					     "TiB" };
	double value = bytes;
	size_t i = 0;

	while ((value >= 1024) && (i + 1 < sizeof(units) / sizeof(units[0]))) {
		value /= 1024;
		i++;
	}
	snprintf(room, size, i ? "%.1f %s" : "%.0f %s", value, units[i]);
	return room;
}

static bool _is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static const char *_yes(const json_t *object, const char *key)
{
	return _is(object, key) ? "yes" : "no";
}

/* End a line with what went wrong last, if anything did. */
static void _show_error(const json_t *object, FILE *out)
{
	const char *error = status_str(object, "error");

	fprintf(out, "%s%s\n", error[0] ? ": " : "", error);
}

static void _show_slurmdbd(const json_t *dbd, time_t now, FILE *out)
{
	char age[40];

	fprintf(out, LABEL, "slurmdbd");
	(void) _since(dbd, now, age, sizeof(age));
	if (!_is(dbd, "registered"))
		fprintf(out, "NOT REGISTERED for %s", age);
	else
		fprintf(out, "registered as %s:%lld for %s%s",
			status_str(dbd, "address"), status_int(dbd, "port"),
			age, _is(dbd, "rival") ?
			"; ANOTHER CONTROLLER has it now" : "");
	_show_error(dbd, out);
}

static void _show_federation(const json_t *fed, FILE *out)
{
	const char *features = status_str(fed, "features");

	fprintf(out, LABEL, "federation");
	if (!json_is_object(fed))
		fprintf(out, "NONE\n");
	else
		fprintf(out, "%s, id %lld, %s%s%s\n", status_str(fed, "name"),
			status_int(fed, "id"), status_str(fed, "state"),
			features[0] ? ", features " : "", features);
}

static void _show_peers(const json_t *peers, time_t now, FILE *out)
{
	const json_t *peer;
	int width = 7;		/* "SIBLING" */
	size_t i;

	json_array_foreach(peers, i, peer) {
		int len = strlen(status_str(peer, "name"));

		if (len > width)
			width = len;
	}
	if (!json_array_size(peers))
		return;
	fprintf(out, "  %-*s  %-4s  %-4s  %-6s  %7s  %9s  %s\n", width,
		"SIBLING", "SEND", "RECV", "SYNCED", "QUEUED", "SENT", "LINK");
	json_array_foreach(peers, i, peer) {
		char age[40];

		fprintf(out, "  %-*s  %-4s  %-4s  %-6s  %7lld  %9lld  ",
			width, status_str(peer, "name"), _yes(peer, "send"),
			_yes(peer, "recv"), _yes(peer, "synced"),
			status_int(peer, "queued"), status_int(peer, "sent"));
		fprintf(out, "%s for %s", _is(peer, "send") ? "up" : "down",
			_since(peer, now, age, sizeof(age)));
		_show_error(peer, out);
	}
}

/* How old is what sinfo shows, and whether FLURM has said it */
static const char *_nodes_age(const json_t *flurm, char *text, size_t size)
{
	const json_t *age = json_object_get(flurm, "nodes_age");

	if (!json_is_integer(age))
		return "nodes not known yet";
	snprintf(text, size, "nodes%s %lld s ago",
		 _is(flurm, "nodes_told") ? "" : " (made up)",
		 (long long) json_integer_value(age));
	return text;
}

static void _show_flurm(const json_t *flurm, time_t now, FILE *out)
{
	char age[40], memory[40], nodes[60];

	fprintf(out, LABEL, "FLURM");
	(void) _since(flurm, now, age, sizeof(age));
	if (!_is(flurm, "reachable")) {
		fprintf(out, "%s DOES NOT ANSWER for %s", status_str(flurm, "url"),
			age);
		_show_error(flurm, out);
		return;
	}
	fprintf(out, "%s answers for %s: version %s, %lld nodes, %lld cpus, %s; %s; %lld requests, %lld retries\n",
		status_str(flurm, "url"), age, status_str(flurm, "version"),
		status_int(flurm, "nodes"), status_int(flurm, "cpus"),
		_size(status_int(flurm, "memory_mb") << 20, memory,
		      sizeof(memory)),
		_nodes_age(flurm, nodes, sizeof(nodes)),
		status_int(flurm, "requests"), status_int(flurm, "retries"));
}

/* How many there are of each state, as the controller names them */
static void _show_jobs(json_t *jobs, FILE *out)
{
	json_t *states = json_object_get(jobs, "states"), *count;
	const char *state, *comma = ":";

	if (!json_is_object(jobs))
		return;
	fprintf(out, LABEL "%lld known", "jobs", status_int(jobs, "known"));
	json_object_foreach(states, state, count) {
		fprintf(out, "%s %lld %s", comma,
			(long long) json_integer_value(count), state);
		comma = ",";
	}
	fputc('\n', out);
}

/* What slurmdbd is to know of FLURM's jobs */
static void _show_accounting(const json_t *accounting, time_t now, FILE *out)
{
	long long waiting = status_int(accounting, "waiting");
	long long oldest = status_int(accounting, "oldest");
	long long dropped = status_int(accounting, "dropped");
	char age[40];

	if (!json_is_object(accounting))
		return;
	fprintf(out, LABEL, "accounting");
	if (!waiting)
		fprintf(out, "slurmdbd knows all");
	else
		fprintf(out, "%lld rows wait for slurmdbd", waiting);
	if (oldest)
		fprintf(out, ", the oldest for %s",
			_span((long long) now - oldest, age, sizeof(age)));
	if (dropped)
		fprintf(out, "; %lld REFUSED AND DROPPED", dropped);
	_show_error(accounting, out);
}

static void _show_ledger(const json_t *ledger, FILE *out)
{
	const char *state = status_str(ledger, "state");
	char size[40];

	fprintf(out, LABEL "%s: %s, %s, %lld records in %lld commits since it was opened\n",
		"ledger", strcmp(state, "ok") ? "CANNOT BE WRITTEN" : state,
		status_str(ledger, "dir"),
		_size(status_int(ledger, "bytes"), size, sizeof(size)),
		status_int(ledger, "records"), status_int(ledger, "commits"));
}

static void _show_port(const json_t *port, FILE *out)
{
	fprintf(out, LABEL "%lld: %lld connections, %lld served, %lld rejected; now %lld open, %lld to stay\n",
		"port", status_int(port, "number"),
		status_int(port, "accepted"), status_int(port, "served"),
		status_int(port, "rejected"), status_int(port, "open"),
		status_int(port, "persistent"));
}

static void _show_cluster(const json_t *cluster, time_t now, FILE *out)
{
	char age[40];

	fprintf(out, "\n%s", status_str(cluster, "name"));
	if (json_is_false(json_object_get(cluster, "running"))) {
		fprintf(out, " DOES NOT RUN");
		_show_error(cluster, out);
		return;
	}
	fprintf(out, ", up for %s\n", _since(cluster, now, age, sizeof(age)));
	_show_slurmdbd(json_object_get(cluster, "slurmdbd"), now, out);
	_show_federation(json_object_get(cluster, "federation"), out);
	_show_flurm(json_object_get(cluster, "flurm"), now, out);
	_show_jobs(json_object_get(cluster, "jobs"), out);
	_show_accounting(json_object_get(cluster, "accounting"), now, out);
	_show_ledger(json_object_get(cluster, "ledger"), out);
	_show_port(json_object_get(cluster, "port"), out);
	_show_peers(json_object_get(cluster, "peers"), now, out);
}

extern void status_show(const json_t *status, const json_t *problems,
			time_t now, FILE *out)
{
	const json_t *cluster, *problem;
	size_t i;

	fprintf(out, "fed_flurm %s in %s (process %lld, Slurm %s)\n",
		status_str(status, "version"), status_str(status, "host"),
		status_int(status, "pid"), status_str(status, "slurm"));
	json_array_foreach(json_object_get(status, "clusters"), i, cluster)
		_show_cluster(cluster, now, out);
	if (!json_array_size(problems)) {
		fprintf(out, "\nAll is well.\n");
		return;
	}
	fprintf(out, "\nWhat is wrong:\n");
	json_array_foreach(problems, i, problem)
		fprintf(out, "  %s\n", json_string_value(problem));
}
