/*
 * rpc_count.c - how often what was asked, by whom (see rpc_count.h).
 */
#include "src/sibling/rpc_count.h"

#include <pthread.h>
#include <string.h>

#include "src/sibling/pack_info.h"

#define ROWS 128	/* types, users: those beyond are not counted */

typedef struct {
	uint32_t keys[ROWS];
	uint32_t counts[ROWS];
	uint64_t usecs[ROWS];
	uint32_t rows;
} tally_t;

struct rpc_count {
	pthread_mutex_t lock;
	time_t since;
	tally_t types;
	tally_t users;
};

extern rpc_count_t *rpc_count_create(void)
{
	rpc_count_t *count = xmalloc(sizeof(*count));

	pthread_mutex_init(&count->lock, NULL);
	count->since = time(NULL);
	return count;
}

extern void rpc_count_destroy(rpc_count_t *count)
{
	if (!count)
		return;
	pthread_mutex_destroy(&count->lock);
	xfree(count);
}

static void _add(tally_t *tally, uint32_t key, uint64_t usec)
{
	uint32_t i = 0;

	while ((i < tally->rows) && (tally->keys[i] != key))
		i++;
	if (i == ROWS)
		return;
	if (i == tally->rows)
		tally->keys[tally->rows++] = key;
	tally->counts[i]++;
	tally->usecs[i] += usec;
}

extern void rpc_count_add(rpc_count_t *count, uint16_t type, uid_t uid,
			  uint64_t usec)
{
	pthread_mutex_lock(&count->lock);
	_add(&count->types, type, usec);
	_add(&count->users, uid, usec);
	pthread_mutex_unlock(&count->lock);
}

extern void rpc_count_reset(rpc_count_t *count)
{
	pthread_mutex_lock(&count->lock);
	memset(&count->types, 0, sizeof(count->types));
	memset(&count->users, 0, sizeof(count->users));
	count->since = time(NULL);
	pthread_mutex_unlock(&count->lock);
}

extern time_t rpc_count_since(rpc_count_t *count)
{
	time_t since;

	pthread_mutex_lock(&count->lock);
	since = count->since;
	pthread_mutex_unlock(&count->lock);
	return since;
}

extern void rpc_count_pack(rpc_count_t *count, buf_t *buf, uint16_t version)
{
	uint16_t types[ROWS];

	pthread_mutex_lock(&count->lock);
	for (uint32_t i = 0; i < count->types.rows; i++)
		types[i] = count->types.keys[i];
	pack32(count->types.rows, buf);
	pack16_array(types, count->types.rows, buf);
	pack32_array(count->types.counts, count->types.rows, buf);
	pack64_array(count->types.usecs, count->types.rows, buf);
	if (version >= PACK_24_05)
		pack8(0, buf);		/* no queue of requests */
	pack32(count->users.rows, buf);
	pack32_array(count->users.keys, count->users.rows, buf);
	pack32_array(count->users.counts, count->users.rows, buf);
	pack64_array(count->users.usecs, count->users.rows, buf);
	pthread_mutex_unlock(&count->lock);
}
