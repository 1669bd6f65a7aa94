/*
 * dep_table.c - dependencies not yet answered (see dep_table.h).
 *
 * A list: there are as many as jobs that are being made dependent right now,
 * for the time that one message takes.
 */
#include "src/sibling/dep_table.h"

#include <errno.h>
#include <stdlib.h>

#include "src/sibling/record.h"

typedef struct entry {
	struct entry *next;
	char *peer;
	dep_t *dep;
	bool sent;
} entry_t;

struct dep_table {
	entry_t *list;
};

extern dep_table_t *dep_table_create(void)
{
	return xmalloc(sizeof(dep_table_t));
}

static void _remove(entry_t **at)
{
	entry_t *entry = *at;

	*at = entry->next;
	dep_free(entry->dep);
	xfree(entry->peer);
	xfree(entry);
}

extern void dep_table_destroy(dep_table_t *table)
{
	if (!table)
		return;
	while (table->list)
		_remove(&table->list);
	xfree(table);
}

static int _append_dep(fed_ledger_t *ledger, const char *peer,
		       const dep_t *dep, fed_err_t *err)
{
	fed_bytes_t bytes = { 0 };
	int rc;

	fed_put_str(&bytes, peer);
	dep_pack(dep, &bytes);
	rc = fed_ledger_append(ledger, RECORD_DEP, bytes.data, bytes.len, err);
	fed_bytes_free(&bytes);
	return rc;
}

extern int dep_table_append_done(fed_ledger_t *ledger, const char *peer,
				 uint32_t job_id, fed_err_t *err)
{
	fed_bytes_t bytes = { 0 };
	int rc;

	fed_put_str(&bytes, peer);
	fed_put_u32(&bytes, job_id);
	rc = fed_ledger_append(ledger, RECORD_DEP_DONE, bytes.data, bytes.len,
			       err);
	fed_bytes_free(&bytes);
	return rc;
}

extern int dep_table_append(fed_ledger_t *ledger, const char *peer,
			    const dep_msg_t *msg, fed_err_t *err)
{
	dep_t *dep;
	int rc;

	if (!msg->dependency || !msg->dependency[0])
		return dep_table_append_done(ledger, peer, msg->job_id, err);
	dep = dep_from_msg(msg);
	rc = _append_dep(ledger, peer, dep, err);
	dep_free(dep);
	return rc;
}

extern void dep_table_done(dep_table_t *table, const char *peer,
			   uint32_t job_id)
{
	for (entry_t **at = &table->list; *at; at = &(*at)->next) {
		if (((*at)->dep->job_id == job_id) &&
		    !xstrcmp((*at)->peer, peer)) {
			_remove(at);
			return;
		}
	}
}

/* Takes dep over. */
static void _set(dep_table_t *table, const char *peer, dep_t *dep)
{
	entry_t *entry = xmalloc(sizeof(*entry));

	dep_table_done(table, peer, dep->job_id);
	entry->peer = xstrdup(peer);
	entry->dep = dep;
	entry->next = table->list;
	table->list = entry;
}

extern void dep_table_set(dep_table_t *table, const char *peer,
			  const dep_msg_t *msg)
{
	if (!msg->dependency || !msg->dependency[0])
		dep_table_done(table, peer, msg->job_id);
	else
		_set(table, peer, dep_from_msg(msg));
}

extern void dep_table_keep(dep_table_t *table, const federation_t *fed)
{
	entry_t **at = &table->list;

	while (*at) {
		if (fed->self && federation_find(fed, (*at)->peer))
			at = &(*at)->next;
		else
			_remove(at);
	}
}

extern void dep_table_send(dep_table_t *table,
			   int (*send)(void *arg, const char *peer,
				       const dep_t *dep),
			   void *arg)
{
	entry_t **at = &table->list;

	while (*at) {
		int rc = (*at)->sent ? 0 : send(arg, (*at)->peer, (*at)->dep);

		if (rc < 0) {
			_remove(at);
			continue;
		}
		if (rc > 0)
			(*at)->sent = true;
		at = &(*at)->next;
	}
}

extern void dep_table_resend(dep_table_t *table, const char *peer)
{
	for (entry_t *entry = table->list; entry; entry = entry->next) {
		if (!xstrcmp(entry->peer, peer))
			entry->sent = false;
	}
}

extern uint32_t dep_table_count(const dep_table_t *table)
{
	uint32_t count = 0;

	for (entry_t *entry = table->list; entry; entry = entry->next)
		count++;
	return count;
}

extern int dep_table_replay(dep_table_t *table, uint16_t type,
			    const void *body, size_t len, fed_err_t *err)
{
	fed_reader_t reader;
	char *peer;
	dep_t *dep;
	int rc = 0;

	fed_reader_init(&reader, body, len);
	peer = fed_get_str(&reader);
	if (!peer)
		return fed_err_set(err, EPROTO, "dependency of no peer");
	if (type == RECORD_DEP_DONE) {
		dep_table_done(table, peer, fed_get_u32(&reader));
		if (!fed_reader_done(&reader))
			rc = fed_err_set(err, EPROTO,
					 "end of a dependency makes no sense");
	} else if ((dep = dep_unpack(reader.at, fed_reader_left(&reader),
				     err))) {
		_set(table, peer, dep);
	} else {
		rc = -1;
	}
	free(peer);
	return rc;
}

extern int dep_table_snapshot(const dep_table_t *table, fed_ledger_t *ledger,
			      fed_err_t *err)
{
	for (entry_t *entry = table->list; entry; entry = entry->next) {
		if (_append_dep(ledger, entry->peer, entry->dep, err))
			return -1;
	}
	return 0;
}
