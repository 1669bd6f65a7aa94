/*
 * dep.c - dependencies of other clusters' jobs on FLURM's (see dep.h).
 */
#include "src/sibling/dep.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/job_id.h"
#include "src/sibling/persist.h"

#define RECORD_VERSION 1

static const struct {
	const char *name;
	uint16_t type;
	uint32_t unknown;	/* verdict on a job that we do not know */
} kinds[] = {
	/* as job_scheduler.c: a job that is gone no longer holds anyone up */
	{ "after", SLURM_DEPEND_AFTER, DEPEND_FULFILLED },
	{ "afterany", SLURM_DEPEND_AFTER_ANY, DEPEND_FULFILLED },
	/* nobody can say how it ended: as a native that never had the job */
	{ "afterok", SLURM_DEPEND_AFTER_OK, DEPEND_FAILED },
	{ "afternotok", SLURM_DEPEND_AFTER_NOT_OK, DEPEND_FAILED },
	{ "aftercorr", SLURM_DEPEND_AFTER_CORRESPOND, DEPEND_FAILED },
	{ "afterburstbuffer", SLURM_DEPEND_BURST_BUFFER, DEPEND_FULFILLED },
};

extern dep_t *dep_from_msg(const dep_msg_t *msg)
{
	dep_t *dep = xmalloc(sizeof(*dep));

	dep->job_id = msg->job_id;
	dep->user_id = msg->user_id;
	dep->job_name = xstrdup(msg->job_name ? msg->job_name : "");
	dep->dependency = xstrdup(msg->dependency ? msg->dependency : "");
	return dep;
}

extern void dep_free(dep_t *dep)
{
	if (!dep)
		return;
	xfree(dep->job_name);
	xfree(dep->dependency);
	xfree(dep);
}

extern void dep_pack(const dep_t *dep, fed_bytes_t *bytes)
{
	fed_put_u16(bytes, RECORD_VERSION);
	fed_put_u32(bytes, dep->job_id);
	fed_put_u32(bytes, dep->user_id);
	fed_put_str(bytes, dep->job_name);
	fed_put_str(bytes, dep->dependency);
}

extern dep_t *dep_unpack(const void *body, size_t len, fed_err_t *err)
{
	dep_t *dep = xmalloc(sizeof(*dep));
	fed_reader_t reader;
	uint16_t version;
	char *text;

	fed_reader_init(&reader, body, len);
	version = fed_get_u16(&reader);
	dep->job_id = fed_get_u32(&reader);
	dep->user_id = fed_get_u32(&reader);
	text = fed_get_str(&reader);
	dep->job_name = xstrdup(text ? text : "");
	free(text);
	text = fed_get_str(&reader);
	dep->dependency = xstrdup(text ? text : "");
	free(text);
	if ((version == RECORD_VERSION) && fed_reader_done(&reader))
		return dep;
	fed_err_set(err, EPROTO, "dependency record of version %u makes no sense",
		    version);
	dep_free(dep);
	return NULL;
}

static depend_spec_t *_add(compat_list_t list, uint16_t type, uint32_t state)
{
	depend_spec_t *spec = xmalloc(sizeof(*spec));

	spec->array_task_id = NO_VAL;
	spec->depend_type = type;
	spec->depend_state = state;
	list_append(list, spec);
	return spec;
}

/*
 * One "[:]id[_task][+minutes]" of an item.
 * RET where it ends, or NULL if it is none
 */
static const char *_read_id(const char *at, uint32_t *ret_id,
			    uint32_t *ret_task)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char) *at))
		return NULL;
	errno = 0;
	value = strtoul(at, &end, 10);
	if (errno || (value > UINT32_MAX))
		return NULL;
	*ret_id = value;
	*ret_task = NO_VAL;
	if ((end[0] == '_') && (end[1] == '*')) {
		*ret_task = INFINITE;
		end += 2;
	} else if ((end[0] == '_') && isdigit((unsigned char) end[1])) {
		*ret_task = strtoul(end + 1, &end, 10);
	}
	if (*end == '+')
		end += 1 + strspn(end + 1, "0123456789");
	return end;
}

/* One item, as "afterok:67108867_4+10(unfulfilled)" without the part in (). */
static void _judge_item(const char *item, uint32_t our_fed_id,
			compat_list_t list)
{
	size_t name_len = strcspn(item, ":");
	const char *at = item + name_len;
	uint32_t id, task;

	if (!strcmp(item, "singleton")) {
		depend_spec_t *spec = _add(list, SLURM_DEPEND_SINGLETON,
					   DEPEND_FULFILLED);

		/* the origin looks for its own by type, job and task, and
		 * its own singleton has neither job nor task: 0, not NO_VAL */
		spec->array_task_id = 0;
		spec->singleton_bits = fed_sibling_bit(our_fed_id);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((strlen(kinds[i].name) != name_len) ||
		    strncmp(kinds[i].name, item, name_len))
			continue;
		while (at && (*at == ':') &&
		       (at = _read_id(at + 1, &id, &task))) {
			depend_spec_t *spec;

			if (fed_job_id_origin(id) != our_fed_id)
				continue;
			spec = _add(list, kinds[i].type, kinds[i].unknown);
			spec->job_id = id;
			spec->array_task_id = task;
		}
	}
}

extern buf_t *dep_answer(const dep_t *dep, uint32_t our_fed_id,
			 uint16_t version)
{
	dep_update_origin_msg_t msg = {
		.depend_list = list_create(xfree_ptr),
		.job_id = dep->job_id,
	};
	char *text = xstrdup(dep->dependency), *save = NULL, *item;
	buf_t *buf = NULL;

	for (item = strtok_r(text, ",?", &save); item;
	     item = strtok_r(NULL, ",?", &save)) {
		item[strcspn(item, "(")] = 0;
		_judge_item(item, our_fed_id, msg.depend_list);
	}
	/* an answer of no items crashes a native (job_scheduler.c,
	 * update_job_dependency_list() on the NULL list that it unpacks to) */
	if (list_count(msg.depend_list))
		buf = persist_pack_item(REQUEST_UPDATE_ORIGIN_DEP, &msg,
					version);
	FREE_NULL_LIST(msg.depend_list);
	xfree(text);
	return buf;
}
