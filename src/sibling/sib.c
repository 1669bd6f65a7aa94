/*
 * sib.c - the messages that siblings send each other (see sib.h).
 */
#include "src/sibling/sib.h"

#include "src/sibling/persist.h"

extern const char *sib_kind_name(uint16_t kind)
{
	switch (kind) {
	case SIB_CANCEL:
		return "cancel";
	case SIB_COMPLETE:
		return "complete";
	case SIB_REQUEUE:
		return "requeue";
	case SIB_START:
		return "start";
	case SIB_SUBMIT_BATCH:
		return "submit batch";
	case SIB_SUBMIT_INT:
		return "submit interactive";
	case SIB_SUBMIT_RESP:
		return "submit response";
	case SIB_SYNC:
		return "sync";
	case SIB_UPDATE:
		return "update";
	case SIB_UPDATE_RESP:
		return "update response";
	}
	return "unknown";
}

static buf_t *_pack(sib_msg_t *msg, uint16_t version)
{
	return persist_pack_item(REQUEST_SIB_MSG, msg, version);
}

static buf_t *_pack_resp(sib_kind_t kind, uint32_t our_fed_id, uint32_t job_id,
			 uint32_t rc, uint16_t version)
{
	sib_msg_t msg = {
		.cluster_id = our_fed_id,
		.job_id = job_id,
		.return_code = rc,
		.sib_msg_type = kind,
	};

	return _pack(&msg, version);
}

extern buf_t *sib_pack_submit_resp(uint32_t our_fed_id, uint32_t job_id,
				   uint32_t rc, uint16_t version)
{
	return _pack_resp(SIB_SUBMIT_RESP, our_fed_id, job_id, rc, version);
}

extern buf_t *sib_pack_update_resp(uint32_t our_fed_id, uint32_t job_id,
				   uint32_t rc, uint16_t version)
{
	return _pack_resp(SIB_UPDATE_RESP, our_fed_id, job_id, rc, version);
}

extern buf_t *sib_pack_lock(uint32_t our_fed_id, uint32_t job_id, bool unlock,
			    uint16_t version)
{
	sib_msg_t msg = { .cluster_id = our_fed_id, .job_id = job_id };

	return persist_pack_item(unlock ? REQUEST_SIB_JOB_UNLOCK :
					  REQUEST_SIB_JOB_LOCK, &msg, version);
}

extern buf_t *sib_pack_start(uint32_t our_fed_id, uint32_t job_id,
			     time_t start_time, uint16_t version)
{
	sib_msg_t msg = {
		.cluster_id = our_fed_id,
		.job_id = job_id,
		.start_time = start_time,
		.sib_msg_type = SIB_START,
	};

	return _pack(&msg, version);
}

extern buf_t *sib_pack_complete(uint32_t our_fed_id, uint32_t job_id,
				uint32_t job_state, uint32_t status,
				time_t start_time, uint16_t version)
{
	sib_msg_t msg = {
		.cluster_id = our_fed_id,
		.job_id = job_id,
		.job_state = job_state,
		.return_code = status,
		.start_time = start_time,
		.sib_msg_type = SIB_COMPLETE,
	};

	return _pack(&msg, version);
}

/* IN type, request - of the message within */
static buf_t *_pack_request(sib_msg_t *msg, uint16_t type, void *request,
			    uint16_t version)
{
	slurm_msg_t data;
	buf_t *buf;

	slurm_msg_t_init(&data);
	data.msg_type = type;
	data.data = request;
	data.protocol_version = version;
	msg->data_type = type;
	msg->data_version = version;
	msg->data_buffer = init_buf(BUF_SIZE);
	pack_msg(&data, msg->data_buffer);
	buf = _pack(msg, version);
	free_buf(msg->data_buffer);
	return buf;
}

/* As fed_mgr.c, _persist_fed_job_cancel(), has it */
extern buf_t *sib_pack_cancel(uint32_t our_fed_id, uint32_t job_id,
			      uint16_t signal, uint16_t flags, uint32_t uid,
			      uint16_t version)
{
	job_step_kill_msg_t kill = {
		.flags = flags,
		.signal = signal,
		.step_id = {
			.job_id = job_id,
			.step_id = NO_VAL,
			.step_het_comp = NO_VAL,
		},
	};
	sib_msg_t msg = {
		.cluster_id = our_fed_id,
		.req_uid = uid,
		.sib_msg_type = SIB_CANCEL,
	};

	return _pack_request(&msg, REQUEST_CANCEL_JOB_STEP, &kill, version);
}

extern buf_t *sib_pack_requeue(uint32_t our_fed_id, uint32_t job_id,
			       uint16_t version)
{
	requeue_msg_t requeue = { .job_id = job_id };
	sib_msg_t msg = {
		.cluster_id = our_fed_id,
		.job_id = job_id,
		.sib_msg_type = SIB_REQUEUE,
	};

	return _pack_request(&msg, REQUEST_JOB_REQUEUE, &requeue, version);
}

extern buf_t *sib_pack_sync(uint32_t our_fed_id, buf_t *jobs,
			    time_t sync_time, uint16_t version)
{
	sib_msg_t msg = {
		.cluster_id = our_fed_id,
		.data_buffer = jobs,
		.data_type = RESPONSE_JOB_INFO,
		.data_version = version,
		.sib_msg_type = SIB_SYNC,
		.start_time = sync_time,
	};

	return _pack(&msg, version);
}

#define JOB_INFO_MIN 100	/* bytes; a job without any text has more */

static bool _skip(buf_t *buf, uint32_t size)
{
	if (remaining_buf(buf) < size)
		return false;
	set_buf_offset(buf, get_buf_offset(buf) + size);
	return true;
}

static bool _skip_text(buf_t *buf)
{
	uint32_t size;

	return !unpack32(&size, buf) && _skip(buf, size);
}

/* Up to the data (slurm_protocol_pack.c, _pack_sib_msg()) */
static bool _skip_head(buf_t *buf, uint16_t version)
{
	const uint32_t user = COMPAT_SIB_HAS_USER ? 4 : 0;
	const uint32_t proto = COMPAT_SIB_HAS_PROTO(version) ? 2 : 0;
	uint16_t type;

	return _skip(buf, 4) && !unpack16(&type, buf) &&
	       (type == RESPONSE_JOB_INFO) &&
	       /* version, siblings, group, id, state, code, time */
	       _skip(buf, 2 + 8 + user + 4 + 4 + 4 + 8) && _skip_text(buf) &&
	       _skip(buf, 4 + 2) && _skip_text(buf) &&
	       /* ... and that there are data */
	       _skip(buf, proto + user + 2);
}

extern bool sib_claims_too_much(buf_t *buf, uint16_t version)
{
	uint32_t start = get_buf_offset(buf), count;
	bool too_much = _skip_head(buf, version) && !unpack32(&count, buf) &&
		(count > remaining_buf(buf) / JOB_INFO_MIN);

	set_buf_offset(buf, start);
	return too_much;
}
